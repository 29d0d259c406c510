/**
 * Our own: the X- headers that everybody reads, with the tightest window; the fields of
 * draft-ietf-httpapi-ratelimit-headers-11 with all of them; problem details (RFC 9457) on a 429.
 */
import { tooManyRequests } from "../../domain/errors.ts";
import type { Standing } from "../decision.ts";
import type { Dialect } from "../dialect.ts";
import { inSeconds, retryAfterSeconds } from "./seconds.ts";
import { windowName } from "./window-name.ts";
import { limitRemainingAndReset, retryAfter } from "./x-headers.ts";

/** A String of structured fields (RFC 9651): printable ASCII, with quote and backslash escaped. */
const sfString = (text: string): string =>
  /^[\w .:/-]*$/.test(text) ? `"${text}"` : `"${text.replace(/[^\x20-\x7e]/g, "_").replace(/["\\]/g, "\\$&")}"`;

const addFields = (headers: Record<string, string>, standings: readonly Standing[]): void => {
  if (standings.length === 0) return;
  let policy = "";
  let limit = "";
  for (const window of standings) {
    const name = `${policy === "" ? "" : ", "}${sfString(windowName(window, standings))}`;
    // `w` may not be 0.
    policy += `${name};q=${window.limit};w=${Math.max(1, inSeconds(window.length))}`;
    limit += `${name};r=${window.remaining};t=${inSeconds(window.resetIn)}`;
  }
  headers["RateLimit-Policy"] = policy;
  headers["RateLimit"] = limit;
};

export const sluice: Dialect = {
  name: "sluice",
  headers: (decision) => {
    const headers = limitRemainingAndReset(decision);
    addFields(headers, decision.standings);
    return decision.admitted ? headers : { ...headers, ...retryAfter(decision) };
  },
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
