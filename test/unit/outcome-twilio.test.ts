import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { Outcome } from "../../src/domain/outcome.ts";
import { hours, instant, minutes, seconds } from "../../src/domain/time.ts";
import { TWILIO_CODES } from "../../src/providers/twilio-codes.ts";
import { type TwilioEvidence, twilioOutcome } from "../../src/providers/twilio-outcome.ts";

const NOW = instant(Date.parse("2026-03-01T10:00:00Z"));

type Reply = Partial<Extract<TwilioEvidence, { kind: "reply" }>>;
const reply = (status: number, body: unknown, more: Reply = {}): Outcome => {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return twilioOutcome({ kind: "reply", status, body: text, ...more }, NOW);
};
const refused = (status: number, code: number, more: Reply = {}): Outcome =>
  reply(status, { code, message: "To +4915112345678 is bad", status }, more);

const kind = ({ ...outcome }: Outcome): unknown => {
  if ("why" in outcome) delete (outcome as { why?: string }).why;
  return outcome;
};

const failed = { kind: "permanent" };
const nobody = { kind: "permanent", suppress: true };
const later = { kind: "transient", called: true };
const notCalled = { kind: "transient", called: false };
const uncertain = { kind: "uncertain" };
const slow = (about: "sender" | "channel", retryIn: number) => ({ kind: "throttled", about, retryIn });

describe("a code of Twilio's", () => {
  it.each([
    ["not a phone number", 400, 21211, nobody],
    ["not a phone number (calls)", 400, 21217, nobody],
    ["not a mobile number", 400, 21614, nobody],
    ["a landline", 400, 21635, nobody],
    ["unsubscribed", 400, 21610, nobody],
    ["unknown handset", 400, 30005, nobody],
    ["not on WhatsApp", 400, 63003, nobody],
    ["no route from this sender", 400, 21612, failed],
    ["a country not permitted", 403, 21408, failed],
    ["a country not permitted (calls)", 400, 21215, failed],
    ["a sender that is not ours", 400, 21606, failed],
    ["too long", 400, 21617, failed],
    ["blocked", 400, 30004, failed],
    ["landline or unreachable carrier", 400, 30006, failed],
    ["filtered", 400, 30007, failed],
    ["SMS pumping", 400, 30450, failed],
    ["outside WhatsApp's window", 400, 63016, failed],
    ["unreachable handset", 400, 30003, later],
    ["unknown error", 400, 30008, later],
    ["bad credentials", 401, 20003, notCalled],
    ["a closed account", 403, 20005, notCalled],
    ["a suspended account", 403, 30002, notCalled],
    ["an unknown account", 404, 20404, notCalled],
    ["too many requests", 429, 20429, slow("channel", seconds(5))],
    ["too many calls", 400, 10004, slow("channel", seconds(10))],
    ["the sender's queue is full", 400, 21611, slow("sender", seconds(60))],
    ["queue overflow", 400, 30001, slow("sender", seconds(60))],
    ["the sender's rate", 429, 30022, slow("sender", seconds(60))],
    ["the sender's day", 429, 30023, slow("sender", hours(1))],
    ["WhatsApp's rate", 429, 63018, slow("sender", seconds(60))],
    ["the account's day", 429, 63038, slow("channel", hours(1))],
  ])("%s (HTTP %i, %i)", (_what, status, code, outcome) => {
    expect(kind(refused(status, code))).toEqual(outcome);
  });

  it("is told in words that name nobody", () => {
    for (const [code, [, words]] of TWILIO_CODES) {
      const outcome = refused(400, code);
      expect(outcome).toMatchObject({ why: `HTTP 400, Twilio ${code}: ${words}` });
    }
    expect(refused(400, 99999)).toMatchObject({ why: "HTTP 400, Twilio 99999: To [number] is bad" });
  });
});

describe("a status without a code that we know", () => {
  it.each([
    [400, failed],
    [403, failed],
    [410, failed],
    [422, failed],
    [401, notCalled],
    [404, notCalled],
    [405, notCalled],
    [407, notCalled],
    [301, notCalled],
    [302, notCalled],
    [307, notCalled],
    [308, notCalled],
    [303, uncertain],
    [304, uncertain],
    [100, uncertain],
    [408, later],
    [409, later],
    [425, later],
    [429, slow("channel", seconds(5))],
    [500, uncertain],
    [502, uncertain],
    [503, uncertain],
    [504, uncertain],
  ])("HTTP %i", (status, outcome) => {
    expect(kind(reply(status, "<html>sorry</html>"))).toEqual(outcome);
    expect(kind(reply(status, { message: "sorry", code: 12345 }))).toEqual(outcome);
  });
});

describe("success", () => {
  it("is a resource with an id", () => {
    expect(reply(201, { sid: "SM0123", status: "queued" })).toEqual({ kind: "sent", providerId: "SM0123" });
    expect(reply(200, { sid: "CA0123" })).toEqual({ kind: "sent", providerId: "CA0123" });
  });

  it.each([
    "",
    "null",
    "[]",
    "3",
    '"SM1"',
    "{}",
    '{"sid":null}',
    '{"sid":""}',
    '{"sid":"a b"}',
    "<html>ok</html>",
    '{"sid":"SM01',
  ])("is not to be had from HTTP 200 with %s, which may have sent it all the same", (body) => {
    expect(kind(reply(200, body))).toEqual(uncertain);
  });
});

const asked = (retryAfter: string, date?: string) => {
  const outcome = refused(429, 20429, { retryAfter, date });
  return outcome.kind === "throttled" ? outcome.retryIn : outcome;
};

describe("Retry-After", () => {
  it("is seconds, or a date by the clock of whoever wrote it, or else by ours", () => {
    expect(asked("17")).toBe(seconds(17));
    expect(asked("0.5")).toBe(seconds(1));
    expect(asked("Sun, 01 Mar 2026 12:02:00 GMT", "Sun, 01 Mar 2026 12:00:00 GMT")).toBe(minutes(2));
    expect(asked("Sun, 01 Mar 2026 10:02:00 GMT")).toBe(minutes(2));
  });

  it("is at least a second and at most an hour, and ignored when it makes no sense", () => {
    expect(asked("0")).toBe(seconds(1));
    expect(asked("86400")).toBe(hours(1));
    expect(asked("Sun, 01 Mar 2020 10:02:00 GMT")).toBe(seconds(1));
    expect(asked("Sun, 01 Mar 2099 10:02:00 GMT")).toBe(hours(1));
    for (const nonsense of ["soon", "-5", "1e9", ""]) expect(asked(nonsense)).toBe(seconds(5));
  });

  it("goes before our own idea of how long, and comes along with what is tried again", () => {
    expect(kind(refused(429, 63018, { retryAfter: "7" }))).toEqual(slow("sender", seconds(7)));
    expect(kind(refused(400, 30003, { retryAfter: "7" }))).toEqual({ ...later, retryIn: seconds(7) });
  });

  it("makes 503 a pause only in Twilio's own words: what stands between us may say it of a request that went through", () => {
    expect(kind(refused(503, 20503, { retryAfter: "7" }))).toEqual(slow("channel", seconds(7)));
    expect(kind(reply(503, "<html>", { retryAfter: "7" }))).toEqual(uncertain);
    expect(kind(refused(503, 20503))).toEqual(uncertain);
    expect(kind(refused(500, 20500, { retryAfter: "7" }))).toEqual(uncertain);
  });
});

it("without a reply, all depends on whether the request had been written", () => {
  expect(twilioOutcome({ kind: "no_reply", written: false, trouble: "ECONNREFUSED" }, NOW)).toMatchObject(notCalled);
  expect(twilioOutcome({ kind: "no_reply", written: true, trouble: "ECONNRESET" }, NOW)).toMatchObject(uncertain);
});

it("answers something sensible to any reply at all, and never calls sent what has no id", () => {
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record({ sid: fc.string(), code: fc.integer() }).map((each) => JSON.stringify(each)),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 999 }),
      body,
      fc.option(fc.string(), { nil: undefined }),
      (status, text, retryAfter) => {
        const outcome = reply(status, text, { retryAfter });
        if (outcome.kind === "sent") expect(Math.floor(status / 100)).toBe(2);
        else expect(outcome.why.length).toBeLessThanOrEqual(300);
        if (status >= 200 && status < 300) expect(["sent", "uncertain"]).toContain(outcome.kind);
        if (outcome.kind === "throttled") expect(outcome.retryIn).toBeLessThanOrEqual(hours(1));
      },
    ),
    { numRuns: 2_000 },
  );
});
