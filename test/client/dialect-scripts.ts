/**
 * What a server of each system says when its limit is spent, and what it says before: written down from their published
 * descriptions, in their own words' shapes. `wait` is what the refusal asks for, in seconds.
 */
import { BEGINNING } from "./moved-clock.ts";
import type { Recorded } from "./recorded.ts";

const EPOCH_S = BEGINNING / 1_000;
const WRITTEN_AT = new Date(BEGINNING).toUTCString();
const ACCEPTED = { id: "msg_1", channel: "email", status: "queued" };

interface DialectScript {
  readonly good: Recorded;
  readonly refusal: Recorded;
  readonly wait: number;
}

const xHeaders = (limit: number, remaining: number, reset?: number) => ({
  Date: WRITTEN_AT,
  "X-RateLimit-Limit": String(limit),
  "X-RateLimit-Remaining": String(remaining),
  ...(reset === undefined ? {} : { "X-RateLimit-Reset": String(EPOCH_S + reset) }),
});

const migosmtp: DialectScript = {
  good: { status: 200, headers: xHeaders(300, 247, 60), body: ACCEPTED },
  refusal: {
    status: 429,
    headers: { ...xHeaders(300, 0, 23), "Retry-After": "23" },
    body: { success: false, error: "rate_limit_exceeded", message: "Retry after 23 seconds.", code: 429 },
  },
  wait: 23,
};

export const DIALECT_SCRIPTS: Readonly<Record<string, DialectScript>> = {
  migosmtp,
  telnxo: migosmtp,
  monogoto: {
    good: { status: 200, headers: xHeaders(1_000, 843), body: ACCEPTED },
    refusal: {
      status: 429,
      headers: { ...xHeaders(60, 0), "Retry-After": "47" },
      body: { status_code: 429, message: "Retry after 47 seconds.", request_id: "a1b2" },
    },
    wait: 47,
  },
  mojeeb: {
    good: { status: 200, body: ACCEPTED },
    refusal: {
      status: 429,
      headers: { ...xHeaders(60, 0, 60), "Retry-After": "50" },
      body: { error: { type: "rate_limit_error", code: "rate_limit_exceeded", message: "…", correlation_id: "req_9" } },
    },
    wait: 50,
  },
  ipto: {
    good: { status: 200, headers: xHeaders(100, 95, 60), body: ACCEPTED },
    // Its document promises the body and no header.
    refusal: { status: 429, headers: { Date: WRITTEN_AT }, body: { detail: "…", retry_after: 40 } },
    wait: 40,
  },
  tagoio: {
    good: { status: 200, body: ACCEPTED },
    refusal: { status: 429, body: { status: false, message: "Too many requests (Retry-After: 8)" } },
    wait: 8,
  },
  sluice: {
    good: {
      status: 202,
      headers: {
        ...xHeaders(300, 247, 60),
        "RateLimit-Policy": '"email-send";q=300;w=60',
        RateLimit: '"email-send";r=247;t=60',
      },
      body: ACCEPTED,
    },
    refusal: {
      status: 429,
      headers: {
        "Content-Type": "application/problem+json",
        "RateLimit-Policy": '"email-send";q=300;w=60',
        RateLimit: '"email-send";r=0;t=23',
        "Retry-After": "23",
      },
      body: { code: "too_many_requests", status: 429, detail: "…", request_id: "req_1" },
    },
    wait: 23,
  },
  "an HTTP date": {
    good: { status: 200, body: ACCEPTED },
    refusal: {
      status: 429,
      headers: { Date: WRITTEN_AT, "Retry-After": new Date(BEGINNING + 31_000).toUTCString() },
      body: "slow down",
    },
    wait: 31,
  },
};
