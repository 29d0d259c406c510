/** The `X-RateLimit-*` headers, of which each dialect sends some. Nothing applies: nothing is said. */
import type { Decision } from "../decision.ts";
import { named, resetAtSeconds, retryAfterSeconds } from "./seconds.ts";

type Headers = Readonly<Record<string, string>>;

export const limitAndRemaining = (decision: Decision): Headers => {
  const window = named(decision);
  if (window === null) return {};
  return { "X-RateLimit-Limit": String(window.limit), "X-RateLimit-Remaining": String(window.remaining) };
};

/** The reset in epoch seconds, by the clock that decided. The caller may add to it. */
export const limitRemainingAndReset = (decision: Decision): Record<string, string> => {
  const window = named(decision);
  if (window === null) return {};
  return {
    "X-RateLimit-Limit": String(window.limit),
    "X-RateLimit-Remaining": String(window.remaining),
    "X-RateLimit-Reset": String(resetAtSeconds(decision, window)),
  };
};

export const retryAfter = (decision: Decision): Headers =>
  decision.admitted ? {} : { "Retry-After": String(retryAfterSeconds(decision)) };
