/** MigoSMTP, and Telnxo, which speaks the same: all three headers on every answer. */
import type { Dialect } from "../dialect.ts";
import { retryAfterSeconds } from "./seconds.ts";
import { limitRemainingAndReset, retryAfter } from "./x-headers.ts";

const speaking = (name: string): Dialect => ({
  name,
  headers: (decision) => ({ ...limitRemainingAndReset(decision), ...retryAfter(decision) }),
  refusal: (decision) => ({
    contentType: "application/json",
    body: {
      success: false,
      error: "rate_limit_exceeded",
      // Always "seconds": who reads the number out of the sentence finds one form.
      message: `Too many requests: please retry after ${retryAfterSeconds(decision)} seconds.`,
      code: 429,
    },
  }),
});

export const migosmtp = speaking("migosmtp");
export const telnxo = speaking("telnxo");
