/** API keys: `sk_` + id + 256 random bits + checksum; stored as SHA-256, shown once. Implemented in api-keys.ts. */
import type { Who } from "../domain/audit.ts";
import type { KeyScope } from "../domain/key-scope.ts";
import type { Instant, Millis } from "../domain/time.ts";
import type { Admission, AdmitBucket } from "../redis/admissions.ts";
import type { ApiLimit } from "../domain/api-limit-rules.ts";
import type { ApiLimits } from "./api-limits.ts";

export interface ApiKey {
  readonly id: string;
  readonly account: string;
  readonly name: string | null;
  readonly scopes: readonly KeyScope[];
  /** Its own limit on requests. */
  readonly apiLimit: ApiLimit | null;
  /** By Redis's clock; it opens nothing from then on. */
  readonly expiresAt: Instant | null;
  /** To the minute. Null: never. */
  readonly lastUsedAt: Instant | null;
  /** The key that was made when this one was rotated. */
  readonly replacedBy: string | null;
  readonly createdAt: Instant;
  /** The first characters of the key, to recognise it by. */
  readonly hint: string;
}

/** A key as a request shows it: that it lives, and what bounds its requests. */
export interface LiveKey extends ApiKey {
  readonly limits: ApiLimits;
}

export interface KnownKey extends LiveKey {
  /** Redis's time at the look-up. */
  readonly seenAt: Instant;
}

/** What a request under a key is held to. */
export interface Bounds {
  readonly rules: readonly AdmitBucket[];
}

export interface Entry<Held extends Bounds> {
  /** The same object as the last time, limits included, for as long as nothing of it changes. */
  readonly key: LiveKey;
  /** Redis's time at the look-up. */
  readonly seenAt: Instant;
  /** What was charged in the look-up itself, and what came of it. Null: nothing was charged. */
  readonly taken: { readonly held: Held; readonly admission: Admission } | null;
}

export interface NewApiKey {
  readonly name?: string;
  readonly apiLimit?: ApiLimit;
  /** send and read when absent. */
  readonly scopes?: readonly KeyScope[];
  readonly expiresAt?: Instant;
}

/** Absent: unchanged. Null: none. */
export interface ApiKeyPatch {
  readonly name?: string | null;
  readonly apiLimit?: ApiLimit | null;
  readonly scopes?: readonly KeyScope[];
  readonly expiresAt?: Instant | null;
}

export interface ApiKeys {
  create(account: string, options: NewApiKey, who?: Who): Promise<{ record: ApiKey; key: string } | null>;
  /** Those that have expired too, until they are revoked. */
  list(account: string): Promise<readonly ApiKey[]>;
  get(account: string, id: string): Promise<ApiKey | null>;
  /** In force when it resolves, for its tokens too. Null when there is no such key in this account. */
  patch(account: string, id: string, patch: ApiKeyPatch, who?: Who): Promise<ApiKey | null>;
  /**
   * A new key that may do what the old one may, for as long; the old one dies after the overlap, or when it would anyway.
   * @param judge of the old one as it is rotated, whoever changes it meanwhile; throws where that may not be
   * @returns null when there is no such key in this account
   */
  rotate(
    account: string,
    id: string,
    overlap: Millis,
    who?: Who,
    judge?: (old: ApiKey) => Promise<void>,
  ): Promise<{ record: ApiKey; key: string; oldExpiresAt: Instant } | null>;
  /** In force when it resolves, for its tokens too. False when there is no such key in this account. */
  revoke(account: string, id: string, who?: Who): Promise<boolean>;
  /** Null for a key that is malformed, unknown, expired, revoked, or of an account that is gone. */
  authenticate(key: string): Promise<KnownKey | null>;
  /**
   * The same, and the request is held to its limits in one call, where this process knows the key and it is still as it was.
   * @param digest of the key (key-text.ts)
   * @param boundsOf of a key of which so much is known; null: that is for later
   */
  enter<Held extends Bounds>(
    key: string,
    digest: string,
    boundsOf: (key: LiveKey) => Held | null,
  ): Promise<Entry<Held> | null>;
  /** A live key by its id alone, charged with nothing: for tokens, which judge themselves. It counts as used when they say so. */
  known(id: string): Promise<KnownKey | null>;
  /** Noted to the minute; nobody waits for it. */
  used(key: KnownKey): void;
}
