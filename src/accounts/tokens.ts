/** Tokens on Redis: see token.ts. */
import { insufficientScope, invalidToken, tokenReused, unauthenticated, type SluiceError } from "../domain/errors.ts";
import { idOf, newSeed } from "../domain/id.ts";
import { scopesIn, scopeText, type KeyScope } from "../domain/key-scope.ts";
import { days, milliseconds, seconds, type Clock, type Instant } from "../domain/time.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { beginFamily } from "../redis/scripts/auth-begin.ts";
import { refreshFamily, type Refreshed } from "../redis/scripts/auth-refresh.ts";
import { readAccessToken, signAccessToken } from "./access-token.ts";
import type { ApiKeys, KnownKey } from "./api-key.ts";
import { familyIn, firstRefreshText, refreshDigest, successorOf } from "./refresh-text.ts";
import type { Grant, Tokens } from "./token.ts";
import { ACCESS_TOKEN_LIFE, tokenSecretsOn } from "./token-secrets.ts";

/** Each, from when it is handed out: who comes at least once in so long need never show the key again. */
const REFRESH_LIFE = days(30);
/** An answer that was lost is asked for again within this. */
const GRACE = seconds(10);
/** Of one key: a fleet of a thousand processes, each with tokens of its own. */
const MOST_FAMILIES = 1_000;

const refusals: { readonly [kind in Exclude<Refreshed["kind"], "granted">]: () => SluiceError } = {
  spent: () => invalidToken("this refresh token was spent, and so was its successor: go on with what came of that"),
  reused: tokenReused,
  unknown: () => invalidToken("this refresh token has expired: exchange the API key again"),
};

const both = (some: readonly KeyScope[], others: readonly KeyScope[]): readonly KeyScope[] =>
  some.filter((scope) => others.includes(scope));

export const tokensOn = (parts: { scripts: ScriptRunner; clock: Clock; keys: ApiKeys }): Tokens => {
  const { scripts, clock, keys } = parts;
  const secrets = tokenSecretsOn({ scripts, clock });

  const grant = async (
    { id, account, expiresAt }: KnownKey,
    scopes: readonly KeyScope[],
    now: Instant,
    refresh: { readonly token: string; readonly expiresAt: Instant },
  ): Promise<Grant> => {
    // Neither outlives the key.
    const left = (expiresAt ?? Infinity) - now;
    const life = milliseconds(Math.min(ACCESS_TOKEN_LIFE, left));
    return {
      accessToken: await signAccessToken(secrets, { key: id, account, scopes }, { now, life }),
      expiresIn: life,
      refreshToken: refresh.token,
      refreshExpiresIn: milliseconds(Math.min(refresh.expiresAt - now, left)),
      scopes,
    };
  };

  return {
    exchange: async (apiKey, wanted) => {
      const key = await keys.authenticate(apiKey);
      if (!key) throw unauthenticated("this key is unknown, malformed, expired or revoked");
      const scopes = wanted ?? key.scopes;
      const missing = scopes.find((scope) => !key.scopes.includes(scope));
      if (missing !== undefined) throw insufficientScope(missing, scopeText(key.scopes));
      const secret = await secrets.refresh();
      const family = idOf("fam", newSeed(clock.now()));
      const token = firstRefreshText(secret, family);
      await beginFamily(scripts, {
        id: family,
        key: key.id,
        scopes: scopeText(scopes),
        digest: refreshDigest(token),
        length: REFRESH_LIFE,
        most: MOST_FAMILIES,
      });
      const now = key.seenAt;
      return grant(key, scopes, now, { token, expiresAt: (now + REFRESH_LIFE) as Instant });
    },

    refresh: async (refreshToken) => {
      const secret = await secrets.refresh();
      const family = familyIn(secret, refreshToken);
      if (family === null) throw invalidToken("this is no refresh token of ours");
      const successor = successorOf(secret, family, refreshToken);
      const refreshed = await refreshFamily(scripts, {
        family,
        digest: refreshDigest(refreshToken),
        successor: refreshDigest(successor),
        grace: GRACE,
        length: REFRESH_LIFE,
      });
      if (refreshed.kind !== "granted") throw refusals[refreshed.kind]();
      const key = await keys.known(refreshed.key);
      if (!key) throw invalidToken("the key of this refresh token has expired or was revoked");
      keys.used(key);
      const scopes = both(scopesIn(refreshed.scopes), key.scopes);
      return grant(key, scopes, key.seenAt, { token: successor, expiresAt: refreshed.expiresAt });
    },

    authenticate: async (accessToken) => {
      const signed = await readAccessToken(secrets, accessToken);
      const key = signed && (await keys.known(signed.key));
      const claims = key && (await signed.holds(key.seenAt));
      if (!claims || claims.account !== key.account) return null;
      keys.used(key);
      // What the key may no longer do, its tokens may not either.
      return { ...key, scopes: both(claims.scopes, key.scopes) };
    },
  };
};
