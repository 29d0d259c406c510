/** Mojeeb: headers on a 429 only. */
import type { Dialect } from "../dialect.ts";
import { named, retryAfterSeconds } from "./seconds.ts";
import { limitRemainingAndReset, retryAfter } from "./x-headers.ts";

export const mojeeb: Dialect = {
  name: "mojeeb",
  headers: (decision) => {
    if (decision.admitted) return {};
    // A refusal says 0, also of a request that wanted more than was left.
    const none = named(decision) === null ? {} : { "X-RateLimit-Remaining": "0" };
    return { ...retryAfter(decision), ...limitRemainingAndReset(decision), ...none };
  },
  refusal: (decision, requestId) => ({
    contentType: "application/json",
    body: {
      error: {
        type: "rate_limit_error",
        code: "rate_limit_exceeded",
        message: `Too many requests: try again in ${retryAfterSeconds(decision)} seconds.`,
        correlation_id: requestId,
      },
    },
  }),
};
