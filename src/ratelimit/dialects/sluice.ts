/**
 * Our own: the X- headers that everybody reads, with the tightest window; the fields of
 * draft-ietf-httpapi-ratelimit-headers-11 with all of them; problem details (RFC 9457) on a 429.
 */
import { tooManyRequests } from "../../domain/errors.ts";
import type { Decision, Standing } from "../decision.ts";
import type { Dialect } from "../dialect.ts";
import { inSeconds, retryAfterSeconds } from "./seconds.ts";
import { windowName } from "./window-name.ts";
import { limitAndRemaining, resetAt, retryAfter } from "./x-headers.ts";

/** A String of structured fields (RFC 9651): printable ASCII, with quote and backslash escaped. */
const sfString = (text: string): string => `"${text.replace(/[^\x20-\x7e]/g, "_").replace(/["\\]/g, "\\$&")}"`;

const fields = ({ standings }: Decision): Readonly<Record<string, string>> => {
  if (standings.length === 0) return {};
  const list = (item: (window: Standing) => string): string =>
    standings.map((window) => `${sfString(windowName(window, standings))};${item(window)}`).join(", ");
  return {
    // `w` may not be 0.
    "RateLimit-Policy": list(({ limit, length }) => `q=${limit};w=${Math.max(1, inSeconds(length))}`),
    RateLimit: list(({ remaining, resetIn }) => `r=${remaining};t=${inSeconds(resetIn)}`),
  };
};

export const sluice: Dialect = {
  name: "sluice",
  headers: (decision) => ({
    ...limitAndRemaining(decision),
    ...resetAt(decision),
    ...fields(decision),
    ...retryAfter(decision),
  }),
  refusal: (decision, requestId) => {
    const error = tooManyRequests(retryAfterSeconds(decision));
    return {
      contentType: "application/problem+json",
      // As http/problem.ts writes them; a test holds it against the schema.
      body: {
        type: `urn:sluice:problem:${error.code}`,
        title: "Too many requests",
        status: error.status,
        code: error.code,
        detail: error.message,
        request_id: requestId,
        violated_policies: decision.violated.map((window) => windowName(window, decision.standings)),
      },
    };
  },
};
