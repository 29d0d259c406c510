/** IPTO: all three headers on every answer, and the seconds of Retry-After in the body as well. */
import type { Dialect } from "../dialect.ts";
import { retryAfterSeconds } from "./seconds.ts";
import { limitRemainingAndReset, retryAfter } from "./x-headers.ts";

export const ipto: Dialect = {
  name: "ipto",
  headers: (decision) => ({ ...limitRemainingAndReset(decision), ...retryAfter(decision) }),
  refusal: (decision) => ({
    contentType: "application/json",
    body: { detail: "Rate limit exceeded", retry_after: retryAfterSeconds(decision) },
  }),
};
