/** API keys: `sk_` + id + 256 random bits + checksum; stored as SHA-256, shown once. Implemented in api-keys.ts. */
import type { Instant } from "../domain/time.ts";

/** Requests per window; overrides the plan's. Kept here, enforced by the API limits. */
export interface ApiLimit {
  readonly minute?: number;
  readonly hour?: number;
}

export interface ApiKey {
  readonly id: string;
  readonly account: string;
  readonly name: string | null;
  readonly apiLimit: ApiLimit | null;
  readonly createdAt: Instant;
  /** The first characters of the key, to recognise it by. */
  readonly hint: string;
}

export interface ApiKeys {
  create(
    account: string,
    options: { name?: string; apiLimit?: ApiLimit },
  ): Promise<{ record: ApiKey; key: string } | null>;
  list(account: string): Promise<readonly ApiKey[]>;
  /** In force when it resolves. False when there is no such key in this account. */
  revoke(account: string, id: string): Promise<boolean>;
  /** Null for a key that is malformed, unknown, revoked, or of an account that is gone. */
  authenticate(key: string): Promise<ApiKey | null>;
}
