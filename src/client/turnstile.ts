/**
 * Requests of one operation go through here one by one, and only as fast as the answers so far allow: at full speed while
 * there is plenty, evenly spread under a fifth of the limit, not at all while the server has said "later".
 */
import { easeFor } from "../domain/easing.ts";
import { type Clock, milliseconds, type Millis, minutes, type MonotonicMillis } from "../domain/time.ts";
import type { ToldLimits } from "../domain/told-limits.ts";
import { orAborted, type Sleep } from "./waiting.ts";

/** Of one call. */
export interface CallTime {
  readonly whole: Millis;
  /** From now on. */
  left(): Millis;
}

export interface Turnstile {
  /**
   * Resolves when the request may go. False: its turn does not come in its time.
   * @throws the signal's reason
   */
  enter(time: CallTime, signal?: AbortSignal): Promise<boolean>;
  /** The request that entered has ended; `told` is null when no answer came. */
  leave(told: ToldLimits | null): void;
}

/** Where a limit tells no reset: all known ones count by the minute at least. */
const FORGOTTEN_AFTER = minutes(1);

export const turnstile = (clock: Pick<Clock, "monotonic">, sleep: Sleep): Turnstile => {
  let lastTurn: Promise<void> = Promise.resolve();
  let lastWentAt = Number.NEGATIVE_INFINITY;
  let closedUntil = Number.NEGATIVE_INFINITY;
  let inFlight = 0;
  let known: { limits: ToldLimits; at: MonotonicMillis; since: number } | null = null;

  const waitAt = (now: MonotonicMillis): Millis => {
    const closedFor = closedUntil - now;
    if (known === null) return milliseconds(Math.max(0, closedFor));
    const { limits, at, since } = known;
    const resetIn = at + (limits.resetIn ?? FORGOTTEN_AFTER) - now;
    // After the reset nothing is known: the next answer tells.
    if (resetIn <= 0 || limits.remaining === undefined) return milliseconds(Math.max(0, closedFor));
    const remaining = Math.max(0, limits.remaining - since);
    const pace = easeFor({ ...limits, remaining, resetIn: milliseconds(resetIn) });
    return milliseconds(Math.max(0, closedFor, pace === 0 ? 0 : lastWentAt + pace - now));
  };

  return {
    async enter({ whole, left }, signal) {
      const before = lastTurn;
      let pass = (): void => {};
      lastTurn = new Promise((resolve) => {
        pass = resolve;
      });
      try {
        await orAborted(before, signal);
        for (;;) {
          const wait = waitAt(clock.monotonic());
          // What no call could wait for is asked about all the same: the limit may have been raised, and a refusal costs
          // nothing. What only this one cannot, because so many were before it, would be spent at the others' cost.
          const isHopeless = wait >= whole;
          if (left() <= 0 || (wait >= left() && !isHopeless)) return false;
          if (wait === 0 || isHopeless) break;
          await sleep(wait, signal);
          // Those under way may have been told "later" meanwhile.
        }
        lastWentAt = clock.monotonic();
        inFlight++;
        if (known) known.since++;
        return true;
      } finally {
        // One that gives up in the queue leaves those before it in front of those behind it.
        void before.then(pass);
      }
    },
    leave(told) {
      inFlight--;
      if (told === null) return;
      const at = clock.monotonic();
      if (told.retryIn !== undefined) closedUntil = Math.max(closedUntil, at + told.retryIn);
      // Those under way may or may not have been counted yet: they are, here.
      if (told.remaining !== undefined) known = { limits: told, at, since: inFlight };
    },
  };
};
