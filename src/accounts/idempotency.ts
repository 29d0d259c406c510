/** Idempotency-Key: one answer for one key and body, for 24 hours. Implemented in idempotency-store.ts. */
import type { IdSeed } from "../domain/id.ts";
import type { Instant } from "../domain/time.ts";

export interface KeptAnswer {
  readonly status: number;
  readonly body: unknown;
}

export type IdempotencyStart =
  /**
   * Go on, make ids from this seed, and judge times as of `at`, by Redis's clock. After a crash the same come again: of what was
   * good then nothing is bad now, and nothing is made twice.
   */
  | { readonly kind: "fresh"; readonly seed: IdSeed; readonly at: Instant }
  | { readonly kind: "replay"; readonly answer: KeptAnswer }
  | { readonly kind: "running" }
  | { readonly kind: "mismatch" };

export interface Idempotency {
  /** @param fingerprint of the request's body: another one under the same key is a mismatch */
  start(account: string, route: string, key: string, fingerprint: string): Promise<IdempotencyStart>;
  /** Keeps a 2xx or 422 answer for 24 h. */
  keep(account: string, route: string, key: string, fingerprint: string, answer: KeptAnswer): Promise<void>;
  /**
   * What this run decided and a later one might decide otherwise, before anything is made by it. Null only asks.
   * @returns what holds for all runs of the request: the first decision that was told; null for none yet
   */
  decide<Decision>(
    account: string,
    route: string,
    key: string,
    fingerprint: string,
    decision: Decision | null,
  ): Promise<Decision | null>;
  /**
   * Any other answer: the key may be used again at once, with the same seed.
   * @param made nothing: whoever asks again is judged anew
   */
  release(account: string, route: string, key: string, fingerprint: string, made: "nothing" | "unknown"): Promise<void>;
}
