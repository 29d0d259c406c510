/** Waiting for something to become true, on the thing itself: never for a length of time. */
import { inspect } from "node:util";
import { setTimeout as wait } from "node:timers/promises";

/**
 * Asks again every few milliseconds until the answer is truthy, and answers with it. `check` may throw meanwhile.
 * Fails after `within` ms with `what` it waited for and the last answer it saw.
 */
export const until = async <T>(
  check: () => T | Promise<T>,
  { within = 10_000, what = "it to be so" }: { within?: number; what?: string } = {},
): Promise<NonNullable<T>> => {
  const startedAt = performance.now();
  for (let pause = 1; ; pause = Math.min(pause * 1.5, 25)) {
    let last: unknown;
    try {
      const value = await check();
      if (value) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() - startedAt > within) {
      throw new Error(`waited ${within} ms for ${what}; last saw ${inspect(last, { depth: 4 })}`);
    }
    await wait(pause);
  }
};
