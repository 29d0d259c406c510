/**
 * A bound on guesses at keys, in the memory of this process: the limits of the API count them too, but only once the key has
 * been looked up, and a flood of guesses must not be a flood of look-ups.
 */
import { remembered } from "../domain/remembered.ts";
import type { Clock } from "../domain/time.ts";

interface Bucket {
  tokens: number;
  at: number;
}

export interface GuessLimit {
  /** 0: go on, one was taken. Else the seconds to wait. */
  take(caller: string): number;
  /** The same without taking one. */
  ask(caller: string): number;
  /** Nobody has taken any: nobody need be asked about. */
  isUntouched(): boolean;
}

/** More callers at once than this, and those seen first are forgotten: memory is bounded, whatever addresses come. */
const MOST_CALLERS = 20_000;

export const guessLimit = (clock: Clock, { perSecond, burst }: { perSecond: number; burst: number }): GuessLimit => {
  const buckets = remembered<string, Bucket>(MOST_CALLERS);
  let isUntouched = true;
  const filled = (caller: string): Bucket => {
    const now = clock.monotonic();
    const bucket = buckets.get(caller) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond);
    bucket.at = now;
    return bucket;
  };
  const wait = (bucket: Bucket): number => (bucket.tokens >= 1 ? 0 : Math.ceil((1 - bucket.tokens) / perSecond));
  return {
    ask: (caller) => wait(filled(caller)),
    isUntouched: () => isUntouched,
    take(caller) {
      const bucket = filled(caller);
      const seconds = wait(bucket);
      if (seconds === 0) bucket.tokens -= 1;
      buckets.set(caller, bucket);
      isUntouched = false;
      return seconds;
    },
  };
};
