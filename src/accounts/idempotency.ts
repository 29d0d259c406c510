/** Idempotency-Key: one answer for one key and body, for 24 hours. Implemented in idempotency-store.ts. */
import type { IdSeed } from "../domain/id.ts";

export interface KeptAnswer {
  readonly status: number;
  readonly body: unknown;
}

export type IdempotencyStart =
  /** Go on, and make ids from this seed. After a crash the same seed comes again, so that nothing is made twice. */
  | { readonly kind: "fresh"; readonly seed: IdSeed }
  | { readonly kind: "replay"; readonly answer: KeptAnswer }
  | { readonly kind: "running" }
  | { readonly kind: "mismatch" };

export interface Idempotency {
  /** @param fingerprint of the request's body: another one under the same key is a mismatch */
  start(account: string, route: string, key: string, fingerprint: string): Promise<IdempotencyStart>;
  /** Keeps a 2xx or 422 answer for 24 h. */
  keep(account: string, route: string, key: string, fingerprint: string, answer: KeptAnswer): Promise<void>;
  /** Any other answer: the key may be used again at once, with the same seed. */
  release(account: string, route: string, key: string, fingerprint: string): Promise<void>;
}
