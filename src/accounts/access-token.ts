/**
 * Access tokens: JWTs of HS256. Who verifies them is who signs them, our own API processes, and the secret is in the Redis
 * that they share: a public key would have nobody to be public for, and cost three times the time (docs/decisions/0021).
 */
import { randomUUID } from "node:crypto";
import { compactVerify, decodeProtectedHeader, SignJWT } from "jose";
import { scopesIn, scopeText, type KeyScope } from "../domain/key-scope.ts";
import type { Instant, Millis } from "../domain/time.ts";
import { ACCESS_TOKEN_LIFE, type TokenSecrets } from "./token-secrets.ts";

/** Ours to choose, never the token's: `none`, and whatever else its header says, are refused. */
const ALGORITHM = "HS256";
const TYPE = "at+jwt";
const ISSUER = "sluice";
const AUDIENCE = "sluice-api";

export interface AccessClaims {
  readonly key: string;
  readonly account: string;
  readonly scopes: readonly KeyScope[];
}

const inSeconds = (at: number): number => Math.floor(at / 1_000);

export const signAccessToken = async (
  secrets: TokenSecrets,
  { key, account, scopes }: AccessClaims,
  { now, life }: { readonly now: Instant; readonly life: Millis },
): Promise<string> => {
  const { kid, key: secret } = await secrets.newest(now);
  return new SignJWT({ account, scope: scopeText(scopes) })
    .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(key)
    .setJti(randomUUID())
    .setIssuedAt(inSeconds(now))
    .setNotBefore(inSeconds(now))
    .setExpirationTime(inSeconds(now + life))
    .sign(secret);
};

const kidIn = (token: string): string | null => {
  try {
    const { alg, typ, kid } = decodeProtectedHeader(token);
    return alg === ALGORITHM && typ === TYPE && typeof kid === "string" ? kid : null;
  } catch {
    return null;
  }
};

const claimsIn = (payload: Uint8Array): Readonly<Record<string, unknown>> | null => {
  try {
    const claims: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    return typeof claims === "object" && claims !== null ? (claims as Record<string, unknown>) : null;
  } catch {
    return null;
  }
};

export interface SignedToken {
  /** The key's id. */
  readonly key: string;
  /** Null: it is not for us, or not now. By Redis's clock, which comes with the look-up of the key. */
  holds(now: Instant): Promise<AccessClaims | null>;
}

/** Null: it is not one of ours, whatever it says. */
export const readAccessToken = async (secrets: TokenSecrets, token: string): Promise<SignedToken | null> => {
  const kid = kidIn(token);
  const signing = kid === null ? null : await secrets.byKid(kid);
  if (kid === null || signing === null) return null;
  const verified = await compactVerify(token, signing.key, { algorithms: [ALGORITHM] }).catch(() => null);
  const claims = verified && claimsIn(verified.payload);
  if (!claims) return null;
  const { iss, aud, sub, account, scope, jti, iat, nbf, exp } = claims;
  if (iss !== ISSUER || aud !== AUDIENCE) return null;
  if (typeof sub !== "string" || typeof account !== "string" || typeof scope !== "string") return null;
  if (typeof jti !== "string" || typeof iat !== "number" || typeof nbf !== "number" || typeof exp !== "number")
    return null;
  // Signed by us for longer than we sign for: somebody else has the secret.
  if (!(exp - iat <= ACCESS_TOKEN_LIFE / 1_000)) return null;
  return {
    key: sub,
    holds: async (now) =>
      nbf <= now / 1_000 && now / 1_000 < exp && (await secrets.isGood(kid, now))
        ? { key: sub, account, scopes: scopesIn(scope) }
        : null,
  };
};
