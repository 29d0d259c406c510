/** Waiting that can be called off. Tests hand in their own. */
import { milliseconds, type Millis } from "../domain/time.ts";

/** @throws the signal's reason once it aborts */
export type Sleep = (length: Millis, signal?: AbortSignal) => Promise<void>;

/** What a timer can hold, 24 days: one that is given more goes off at once. */
export const LONGEST_TIMER = milliseconds(2 ** 31 - 1);

const sleepOnce: Sleep = (length, signal) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, length);
    signal?.addEventListener("abort", stop, { once: true });
  });

export const sleep: Sleep = async (length, signal) => {
  let left = length;
  for (; left > LONGEST_TIMER; left = milliseconds(left - LONGEST_TIMER)) await sleepOnce(LONGEST_TIMER, signal);
  await sleepOnce(left, signal);
};

/** The promise, unless the signal aborts first. The promise goes on for whoever else waits for it. */
export const orAborted = <T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> =>
  signal === undefined
    ? promise
    : new Promise((resolve, reject) => {
        const stop = (): void => reject(signal.reason as Error);
        if (signal.aborted) stop();
        signal.addEventListener("abort", stop, { once: true });
        void promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
      });
