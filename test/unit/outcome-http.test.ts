import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { Outcome } from "../../src/domain/outcome.ts";
import { instant, minutes, seconds } from "../../src/domain/time.ts";
import { httpOutcome } from "../../src/providers/http-outcome.ts";
import { DIALECT_SCRIPTS } from "../client/dialect-scripts.ts";
import { BEGINNING } from "../client/moved-clock.ts";

const NOW = instant(BEGINNING);
const RULES = { providerId: null, permanent: null, notTaken: [], idempotent: false };
type Rules = Parameters<typeof httpOutcome>[1];

const reply = (
  status: number,
  body: unknown = "",
  { headers = {}, ...rules }: Partial<Rules> & { headers?: Record<string, string> } = {},
): Outcome => {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return httpOutcome({ kind: "reply", status, body: text, headers }, { ...RULES, ...rules }, NOW);
};

describe("a good answer", () => {
  it("is sent; by the name that the service gives it, where it gives one", () => {
    expect(reply(202)).toEqual({ kind: "sent", providerId: "" });
    const providerId = ["data", "id"];
    expect(reply(200, { data: { id: "m-1" } }, { providerId })).toEqual({ kind: "sent", providerId: "m-1" });
    expect(reply(200, { data: { id: 17 } }, { providerId })).toEqual({ kind: "sent", providerId: "17" });
  });

  it.each([
    ["a number with more digits than a float has", '{"data":{"id":1234567890123456789}}', "1234567890123456789"],
    ["one of twenty-four", '{ "data": { "id" : 900000000000000000000017 } }', "900000000000000000000017"],
    [
      "digits in a text",
      '{"data":{"note":"\\"1234567890123456789\\", no","id":"12345678901234567"}}',
      "12345678901234567",
    ],
    ["one after a megabyte", `{"x":"${"\\\\x".repeat(300_000)}","data":{"id":12345678901234567}}`, "12345678901234567"],
  ])("tells %s as it stands", (_, body, id) => {
    expect(reply(200, body, { providerId: ["data", "id"] })).toEqual({ kind: "sent", providerId: id });
  });

  it("is read behind a byte order mark, too", () => {
    expect(reply(200, '\uFEFF{"id":"m-1"}', { providerId: ["id"] })).toEqual({ kind: "sent", providerId: "m-1" });
  });

  it.each<[string, unknown]>([
    ["a page", "<html>welcome</html>"],
    ["another shape", { id: "m-1" }],
    ["no name", { data: { id: null } }],
    ["one with a line break", { data: { id: "a\nb" } }],
    ["one of a megabyte", { data: { id: "x".repeat(1_000_000) } }],
    ["something inherited", { data: "constructor" }],
  ])("that should name the message and has %s may have sent it", (_, body) => {
    expect(reply(200, body, { providerId: ["data", "id"] })).toMatchObject({ kind: "uncertain" });
  });

  it("with little left of the limit eases the channel off, for as long as spreads the rest over the window", () => {
    const told = (remaining: number) => ({
      headers: {
        "x-ratelimit-limit": "300",
        "x-ratelimit-remaining": String(remaining),
        "x-ratelimit-reset": String(NOW / 1_000 + 60),
      },
    });
    expect(reply(200, "", told(60))).toEqual({ kind: "sent", providerId: "" });
    expect(reply(200, "", told(59))).toEqual({ kind: "sent", providerId: "", easeFor: seconds(1) });
    expect(reply(200, "", told(0))).toEqual({ kind: "sent", providerId: "", easeFor: seconds(60) });
  });
});

describe("a refusal for its limit", () => {
  it.each(Object.entries(DIALECT_SCRIPTS))(
    "of %s closes the channel for as long as it says",
    (_, { refusal, wait }) => {
      const { status, headers = {}, body } = refusal as Exclude<typeof refusal, string>;
      const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
      expect(reply(status, body, { headers: Object.fromEntries(lower) as Record<string, string> })).toMatchObject({
        kind: "throttled",
        about: "channel",
        retryIn: seconds(wait),
      });
    },
  );

  it("that does not say for how long: for a minute", () => {
    expect(reply(429, "slow down")).toMatchObject({ kind: "throttled", about: "channel", retryIn: minutes(1) });
  });

  it.each([
    ["Retry-After: 0", { "retry-after": "0" }],
    ["a date that has passed", { "retry-after": new Date(NOW - 2_000).toUTCString() }],
    // Of whole seconds: the one in which we are.
    ["a reset in this very second", { "x-ratelimit-limit": "9", "x-ratelimit-reset": String(NOW / 1_000) }],
  ])("with %s: for a second, or it would be asked again at once, and again", (_, headers) => {
    const told = { kind: "throttled", about: "channel", retryIn: seconds(1) };
    expect(reply(429, "", { headers })).toMatchObject(told);
    if ("retry-after" in headers) expect(reply(503, "{}", { headers })).toMatchObject(told);
  });

  it("is never permanent, whatever the file says", () => {
    expect(reply(429, "", { permanent: [429] })).toMatchObject({ kind: "throttled" });
  });
});

describe("another refusal", () => {
  it.each([400, 410, 413, 422])("%d is about the message: never", (status) => {
    expect(reply(status, { detail: "to: bad" })).toEqual({ kind: "permanent", why: `HTTP ${status}: to: bad` });
  });

  it.each([401, 402, 403, 404, 405, 407, 415])(
    "%d is about our settings: no message is lost for it, and no try",
    (status) => {
      expect(reply(status)).toMatchObject({ kind: "transient", called: false });
      expect(reply(status, "", { permanent: [status] })).toMatchObject({ kind: "permanent" });
    },
  );

  it.each([408, 409, 423, 425])("%d is for later", (status) => {
    expect(reply(status)).toMatchObject({ kind: "transient", called: true });
  });

  it.each([
    [409, {}],
    [425, {}],
    [401, {}],
    [400, { permanent: [422] }],
    [500, { idempotent: true }],
    [503, { idempotent: true }],
    [500, { notTaken: [500] }],
  ])("%d is not tried again sooner than it asks for", (status, rules) => {
    expect(reply(status, "<html>", { headers: { "retry-after": "300" }, ...rules })).toMatchObject({
      retryIn: minutes(5),
    });
    expect(reply(status, "<html>", rules)).not.toHaveProperty("retryIn");
  });

  it("of those that are named as permanent is one, and others are tried again", () => {
    expect(reply(422, "", { permanent: [422] })).toMatchObject({ kind: "permanent" });
    expect(reply(400, "", { permanent: [422] })).toMatchObject({ kind: "transient", called: true });
  });

  it.each<[unknown, string]>([
    [{ message: "no such domain" }, "no such domain"],
    [{ error: { message: "busy" } }, "busy"],
    [{ error: "invalid_sender" }, "invalid_sender"],
    [
      { detail: "To +4915112345678 (ann@example.com) is bad\r\nINFO all well" },
      "To [number] ([address]) is bad INFO all well",
    ],
    ["<html>", "no reason given"],
  ])("tells why in the service's words, without whom: %j", (body, words) => {
    expect(reply(422, body)).toMatchObject({ why: `HTTP 422: ${words}` });
  });
});

describe("a failure of the service", () => {
  it.each([500, 502, 503, 504, 520])("%d may have come after the message went out", (status) => {
    expect(reply(status, { message: "oops" })).toEqual({ kind: "uncertain", why: `HTTP ${status}: oops` });
    expect(reply(status, "", { idempotent: true })).toMatchObject({ kind: "uncertain", again: true });
    expect(reply(status, "", { notTaken: [status] })).toMatchObject({ kind: "transient", called: true });
  });

  it("503 with Retry-After, in its own JSON, says that it was not taken; in a page it may be somebody else's word", () => {
    const headers = { "retry-after": "20" };
    expect(reply(503, { error: "busy" }, { headers })).toMatchObject({ kind: "throttled", retryIn: seconds(20) });
    expect(reply(503, "<html>", { headers })).toMatchObject({ kind: "uncertain" });
  });

  it("that sends us elsewhere is not followed", () => {
    for (const status of [301, 302, 307, 308])
      expect(reply(status, "", { headers: { location: "http://169.254.169.254/" } })).toMatchObject({
        kind: "transient",
        called: false,
      });
    expect(reply(303)).toMatchObject({ kind: "uncertain" });
  });
});

describe("no answer", () => {
  it("before the request was written, nothing was called; after it, who knows; and a service that knows keys may be asked again", () => {
    const lost = (written: boolean, idempotent = false) =>
      httpOutcome({ kind: "no_reply", written, trouble: "ECONNRESET" }, { ...RULES, idempotent }, NOW);
    expect(lost(false)).toEqual({ kind: "transient", why: "ECONNRESET", called: false });
    expect(lost(true)).toEqual({ kind: "uncertain", why: "ECONNRESET" });
    expect(lost(true, true)).toEqual({ kind: "uncertain", why: "ECONNRESET", again: true });
  });
});

it("whatever comes back, it is an outcome: no answer throws, and only a 2xx is sent", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 599 }),
      fc.oneof(fc.string(), fc.json()),
      fc.dictionary(fc.constantFrom("retry-after", "x-ratelimit-remaining", "ratelimit", "date"), fc.string()),
      (status, body, headers) => {
        const outcome = reply(status, body, { headers, providerId: ["id"] });
        if (outcome.kind === "sent") expect(Math.floor(status / 100)).toBe(2);
        if ("why" in outcome) expect(outcome.why.length).toBeLessThanOrEqual(300);
        if (outcome.kind === "throttled") expect(outcome.retryIn).toBeGreaterThanOrEqual(seconds(1));
      },
    ),
    { numRuns: 2_000 },
  );
});
