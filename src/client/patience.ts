/** Whether an attempt is followed by another, and when: the decision, without anything that waits. */
import { backoff } from "../domain/backoff.ts";
import { milliseconds, type Millis, seconds } from "../domain/time.ts";

/**
 * On top of what the server asked for, so that everybody who was told "23 s" does not come back together. The six
 * systems recommend half a second to two. Never a factor: twice an hour would be an hour too much.
 */
const JITTER = seconds(1);

/** Doubled each time with full jitter, from a second up: what is away for a moment, and what is away for a minute. */
const BACKOFF = { base: seconds(2), cap: seconds(30) };

/** Nothing was decided, or nobody knows what: the same request again is safe, under the same Idempotency-Key. */
const WORTH_AGAIN = new Set([408, 425, 429, 500, 502, 503, 504]);

export type Ended =
  | { readonly kind: "answer"; readonly status: number; readonly code: string; readonly retryIn?: Millis | undefined }
  /** No answer: refused, reset, cut off, too slow. */
  | { readonly kind: "lost" };

/** How long to wait before the same again; null: it would not help. `failures` before this one. */
export const againIn = (ended: Ended, failures: number, random: () => number): Millis | null => {
  if (ended.kind === "lost") return backoff(BACKOFF, failures, random);
  // The attempt before, whose answer was lost, is still being worked on.
  const running = ended.status === 409 && ended.code === "idempotency_running";
  if (!running && !WORTH_AGAIN.has(ended.status)) return null;
  const asked = ended.retryIn === undefined ? null : ended.retryIn + Math.floor(random() * JITTER);
  // A limit that says when is taken at its word; what is broken is left alone for longer each time.
  if (ended.status === 429 && asked !== null) return milliseconds(asked);
  return milliseconds(Math.max(asked ?? 0, backoff(BACKOFF, failures, random)));
};
