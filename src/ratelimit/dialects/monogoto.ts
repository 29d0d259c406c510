/** Monogoto: limit and remaining on every answer, no reset; how long is told by Retry-After alone. */
import type { Dialect } from "../dialect.ts";
import { retryAfterSeconds } from "./seconds.ts";
import { limitAndRemaining, retryAfter } from "./x-headers.ts";

export const monogoto: Dialect = {
  name: "monogoto",
  headers: (decision) => ({ ...limitAndRemaining(decision), ...retryAfter(decision) }),
  refusal: (decision, requestId) => ({
    contentType: "application/json",
    body: {
      status_code: 429,
      message: `Rate limit exceeded: retry after ${retryAfterSeconds(decision)} seconds.`,
      request_id: requestId,
    },
  }),
};
