/** How long to wait before a message that failed for now is tried again. */
import { hours, milliseconds, seconds, type Millis } from "./time.ts";

/**
 * No retry sooner than this. Full jitter alone may say "at once", and what failed a moment ago (a connection refused, a
 * greylisted recipient) fails again at once: a try would be spent on nothing. It is also as exact as promise 2 asks us
 * to be, so a finer wait would mean nothing.
 */
const SHORTEST = seconds(1);

/** A provider that says "come back tomorrow" is asked again after an hour: a mistaken header must not park us for days. */
const LONGEST_RETRY_AFTER = hours(1);

/**
 * Exponential with full jitter: anywhere from 1 s up to base × 2^failures or the cap, whichever is less, all equally
 * likely. Whatever failed together does not come back together, which is why the jitter covers the whole span and not
 * its end. The floor narrows the span instead of cutting it off: cut off, the early ones would all meet at 1 s.
 * `failures` so far, counted from 0; `random` in [0, 1).
 */
export const backoff = (
  { base, cap }: { readonly base: Millis; readonly cap: Millis },
  failures: number,
  random: () => number,
): Millis => {
  const longest = Math.min(cap, base * 2 ** failures);
  const shortest = Math.min(SHORTEST, longest);
  return milliseconds(Math.floor(shortest + random() * (longest - shortest)));
};

/** The delay, or the provider's own Retry-After (a length, clamped to an hour) where that is longer. */
export const notBefore = (delay: Millis, retryIn: Millis | undefined): Millis =>
  // A Retry-After that is not a number says nothing.
  milliseconds(Math.max(delay, Math.min(LONGEST_RETRY_AFTER, Number.isNaN(retryIn) ? 0 : (retryIn ?? 0))));
