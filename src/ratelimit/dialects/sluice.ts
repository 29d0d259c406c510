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

/** What is said of windows whatever was used of them. */
interface Told {
  readonly of: readonly Standing[];
  readonly names: readonly string[];
  readonly policy: string;
}

const toldOf = (windows: readonly Standing[]): Told => {
  const names = windows.map((window) => sfString(windowName(window, windows)));
  // `w` may not be 0.
  const policies = windows.map(
    ({ limit, length }, at) => `${names[at]};q=${limit};w=${Math.max(1, inSeconds(length))}`,
  );
  return { of: windows, names, policy: policies.join(", ") };
};

const isAlike = (one: Standing, other: Standing | undefined): boolean =>
  one.rule === other?.rule && one.kind === other.kind && one.length === other.length && one.limit === other.limit;

/** Of the last answer: one limit is mostly that of many callers, and the next answer tells of the same windows. */
let last: Told = { of: [], names: [], policy: "" };

const addFields = (headers: Record<string, string>, standings: readonly Standing[]): void => {
  if (standings.length === 0) return;
  const isSame = standings.length === last.of.length && standings.every((window, at) => isAlike(window, last.of[at]));
  if (!isSame) last = toldOf(standings);
  let limit = "";
  for (let at = 0; at < standings.length; at++) {
    const { remaining, resetIn } = standings[at]!;
    limit += `${at === 0 ? "" : ", "}${last.names[at]};r=${remaining};t=${inSeconds(resetIn)}`;
  }
  headers["RateLimit-Policy"] = last.policy;
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
