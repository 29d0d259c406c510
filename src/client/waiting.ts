/** Waiting that can be called off. Tests hand in their own. */
import type { Millis } from "../domain/time.ts";

/** @throws the signal's reason once it aborts */
export type Sleep = (length: Millis, signal?: AbortSignal) => Promise<void>;

export const sleep: Sleep = (length, signal) =>
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
