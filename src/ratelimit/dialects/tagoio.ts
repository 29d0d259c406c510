/** TagoIO: nothing but Retry-After, and that in the body's text as well, where its clients read it. */
import type { Dialect } from "../dialect.ts";
import { retryAfterSeconds } from "./seconds.ts";
import { retryAfter } from "./x-headers.ts";

export const tagoio: Dialect = {
  name: "tagoio",
  headers: retryAfter,
  refusal: (decision) => ({
    contentType: "application/json",
    body: { status: false, message: `Too many requests (Retry-After: ${retryAfterSeconds(decision)})` },
  }),
};
