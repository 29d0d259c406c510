/**
 * What tokens are signed and derived with: made once, kept in Redis, shared by all API processes, cached here. Signing
 * secrets are replaced every day by whoever finds the newest too old. A process that has not heard of a new one looks when
 * it first sees its id.
 */
import { randomBytes, webcrypto } from "node:crypto";
import { days, minutes, seconds, type Clock, type Instant } from "../domain/time.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { shared } from "../redis/shared.ts";
import { authSecrets } from "../redis/scripts/auth-secrets.ts";

export const ACCESS_TOKEN_LIFE = minutes(15);
/** A copy of Redis's data that is older than this signs nothing that would be believed. */
const REPLACE_AFTER = days(1);
/** The last token that the one before signed has expired by then; a minute for a request under way. */
const STILL_GOOD = minutes(16);
/** Ids that nobody knows must not make this process ask Redis for each of them. */
const ASK_AGAIN = seconds(1);

interface SigningKey {
  readonly kid: string;
  readonly madeAt: Instant;
  /** It cannot be taken out again, nor be written to a log. */
  readonly key: webcrypto.CryptoKey;
}

interface Known {
  readonly refresh: Buffer;
  readonly signing: readonly [SigningKey, ...SigningKey[]];
}

export interface TokenSecrets {
  refresh(): Promise<Buffer>;
  /** The one to sign with. */
  newest(now: Instant): Promise<SigningKey>;
  /** Null: nobody knows this id. */
  byKid(kid: string): Promise<SigningKey | null>;
  /** Whether what this one signed is believed still. */
  isGood(kid: string, now: Instant): Promise<boolean>;
}

const imported = (secret: string): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey("raw", Buffer.from(secret, "base64url"), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
    "verify",
  ]);

const newSecret = (): string => randomBytes(32).toString("base64url");

export const tokenSecretsOn = ({ scripts, clock }: { scripts: ScriptRunner; clock: Clock }): TokenSecrets => {
  let known: Known | null = null;
  let askedAt = -Infinity;

  const ask = async (): Promise<Known> => {
    const proposed = {
      signing: { kid: randomBytes(9).toString("base64url"), secret: newSecret() },
      refresh: newSecret(),
    };
    const { refresh, signing } = await authSecrets(scripts, proposed, { oldest: REPLACE_AFTER, still: STILL_GOOD });
    const [first, ...others] = await Promise.all(
      signing.map(async ({ kid, madeAt, secret }) => ({ kid, madeAt, key: await imported(secret) })),
    );
    if (!first) throw new Error("expected a secret to sign with");
    known = { refresh: Buffer.from(refresh, "base64url"), signing: [first, ...others] };
    askedAt = clock.monotonic();
    return known;
  };
  const asked = shared(ask);

  const knownAt = async (now: Instant): Promise<Known> => {
    const have = known ?? (await asked());
    return now >= have.signing[0].madeAt + REPLACE_AFTER ? asked() : have;
  };
  const find = ({ signing }: Known, kid: string): SigningKey | null => signing.find((one) => one.kid === kid) ?? null;

  return {
    refresh: async () => (known ?? (await asked())).refresh,
    newest: async (now) => (await knownAt(now)).signing[0],
    byKid: async (kid) => {
      const found = known && find(known, kid);
      if (found || clock.monotonic() - askedAt < ASK_AGAIN) return found;
      return find(await asked(), kid);
    },
    isGood: async (kid, now) => {
      const { signing } = await knownAt(now);
      return kid === signing[0].kid || (signing.some((one) => one.kid === kid) && now < signing[0].madeAt + STILL_GOOD);
    },
  };
};
