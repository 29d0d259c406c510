/** A signal that aborts when the caller's does, or when the attempt has had its time. */
import type { Millis } from "../domain/time.ts";

export interface Deadline {
  readonly signal: AbortSignal;
  /** To be called once the attempt is over: nothing may stay behind on the caller's signal. */
  lift(): void;
}

/** By hand, because AbortSignal.any keeps what it made alive as long as the caller's signal lives (Node 20). */
export const deadline = (outer: AbortSignal, after: Millis): Deadline => {
  const inner = new AbortController();
  const stop = () => inner.abort();
  const timer = setTimeout(stop, after);
  outer.addEventListener("abort", stop, { once: true });
  if (outer.aborted) stop();
  return {
    signal: inner.signal,
    lift: () => {
      clearTimeout(timer);
      outer.removeEventListener("abort", stop);
    },
  };
};
