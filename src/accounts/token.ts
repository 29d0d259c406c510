/** Tokens for API keys: what is shown for a quarter of an hour, and what it is renewed with. Implemented in tokens.ts. */
import type { KeyScope } from "../domain/key-scope.ts";
import type { Millis } from "../domain/time.ts";
import type { KnownKey } from "./api-key.ts";

export interface Grant {
  readonly accessToken: string;
  readonly expiresIn: Millis;
  readonly refreshToken: string;
  readonly refreshExpiresIn: Millis;
  readonly scopes: readonly KeyScope[];
}

export interface Tokens {
  /**
   * @param scopes some of the key's; null: all of them
   * @throws unauthenticated, insufficient_scope
   */
  exchange(apiKey: string, scopes: readonly KeyScope[] | null): Promise<Grant>;
  /**
   * The refresh token is spent by this. Asking again within 10 s, because the answer was lost, gets the same successor.
   * @throws invalid_token, token_reused (then no token of its family holds any longer)
   */
  refresh(refreshToken: string): Promise<Grant>;
  /** Its key, with the scopes that the token has. Null: it is malformed, expired, not ours, or its key is gone. */
  authenticate(accessToken: string): Promise<KnownKey | null>;
}

/** Three parts with dots between them: no API key has a dot. */
export const looksLikeAccessToken = (text: string): boolean => text.includes(".") && /^[^.]+\.[^.]*\.[^.]*$/.test(text);
