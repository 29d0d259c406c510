/** Who takes part in a comparison: all are given the same messages, hands and provider, on the same Redis. */
import type { BenchRedis } from "./redis.ts";
import type { Latency } from "./provider.ts";

export interface Load {
  readonly messages: number;
  readonly accounts: number;
  /** Attempts in flight. */
  readonly concurrency: number;
  readonly latency: Latency;
}

/** Messages of one request, and requests under way at a time, for everybody. */
export const REQUEST_OF = 200;
export const REQUESTS_AT_ONCE = 4;

export interface Contender {
  readonly name: string;
  /**
   * Starts on an empty Redis, hands in all messages while it works on them, and ends when the last one is done and
   * Redis knows it. Judges by its ledger that each arrived once.
   * @returns milliseconds from the first message handed in
   */
  readonly run: (redis: BenchRedis, load: Load) => Promise<number>;
}
