import { describe, expect, it } from "@jest/globals";
import twilio from "twilio";
import { isSigned, newsOf, statusCallbackAt, type Form } from "../../src/providers/twilio-callback.ts";
import { verdictOf } from "../../src/providers/twilio-status.ts";

describe("a status of Twilio's", () => {
  it.each([
    ["delivered", "delivered"],
    ["read", "delivered"],
    ["completed", "delivered"],
    ["undelivered", "undelivered"],
    ["failed", "undelivered"],
    ["busy", "undelivered"],
    ["no-answer", "undelivered"],
    ["canceled", "undelivered"],
    ["sent", "sent"],
    ["queued", "sent"],
    ["sending", "sent"],
    ["accepted", "sent"],
    ["initiated", "sent"],
    ["ringing", "sent"],
    ["in-progress", "sent"],
    ["answered", "sent"],
    ["scheduled", null],
    ["received", null],
    ["Delivered", null],
    ["constructor", null],
    ["", null],
  ])("%j means %j", (status, verdict) => expect(verdictOf(status)).toBe(verdict));
});

describe("a callback's form", () => {
  it.each<[string, Form, object | null]>([
    [
      "tells of a text",
      { MessageSid: "SM1", MessageStatus: "delivered", SmsStatus: "delivered" },
      { verdict: "delivered", providerId: "SM1", reason: "" },
    ],
    [
      "tells why, in words of ours",
      { MessageSid: "SM1", MessageStatus: "undelivered", ErrorCode: "30003" },
      { verdict: "undelivered", providerId: "SM1", reason: "Twilio 30003: the handset cannot be reached" },
    ],
    [
      "tells why, by a code that we do not know",
      { MessageSid: "SM1", MessageStatus: "failed", ErrorCode: "39999" },
      { verdict: "undelivered", providerId: "SM1", reason: "Twilio 39999: not delivered, no reason given" },
    ],
    [
      "cannot put words into our mouth",
      { MessageSid: "SM1", MessageStatus: "failed", ErrorCode: "call +15005550001", ErrorMessage: "ann@example.com" },
      { verdict: "undelivered", providerId: "SM1", reason: "Twilio: not delivered, no reason given" },
    ],
    [
      "tells of a call",
      { CallSid: "CA1", CallStatus: "no-answer" },
      { verdict: "undelivered", providerId: "CA1", reason: "Twilio: nobody answered" },
    ],
    [
      "leaves the reason of what went well away",
      { MessageSid: "SM1", MessageStatus: "delivered", ErrorCode: "30003" },
      { verdict: "delivered", providerId: "SM1", reason: "" },
    ],
    [
      "may say the same twice",
      { MessageSid: ["SM1", "SM1"], MessageStatus: "read" },
      { verdict: "delivered", providerId: "SM1", reason: "" },
    ],
    ["says nothing when it says two things", { MessageSid: "SM1", MessageStatus: ["delivered", "failed"] }, null],
    ["says nothing with a status of another kind", { MessageSid: "SM1", MessageStatus: "received" }, null],
    ["says nothing without Twilio's id", { MessageStatus: "delivered" }, null],
    ["says nothing with an id that is none", { MessageSid: "SM1\nSM2", MessageStatus: "delivered" }, null],
    ["says nothing when it is empty", {}, null],
  ])("%s", (_what, form, news) => expect(newsOf(form)).toEqual(news));
});

describe("a signature", () => {
  const authToken = "0123456789abcdef0123456789abcdef";
  const url = statusCallbackAt("https://sluice.example.com/base")("msg_1");
  const params = { MessageSid: "SM1", MessageStatus: "delivered", To: "+15005550006" };
  const signature = twilio.getExpectedTwilioSignature(authToken, url, params);
  const good = { authToken, url, params, signature };

  it("is good over the public address, its path and its query", () => {
    expect(url).toBe("https://sluice.example.com/base/v1/callbacks/twilio/status?message_id=msg_1");
    expect(isSigned(good)).toBe(true);
  });
  it("is good over fields that come twice, as the SDK counts them", () => {
    const twice = { ...params, Media: ["b", "a", "b"] };
    expect(
      isSigned({ ...good, params: twice, signature: twilio.getExpectedTwilioSignature(authToken, url, twice) }),
    ).toBe(true);
  });
  it.each<[string, Partial<typeof good>]>([
    ["another token", { authToken: "f".repeat(32) }],
    ["another message", { url: url.replace("msg_1", "msg_2") }],
    ["another host", { url: url.replace("sluice.example.com", "sluice.example.net") }],
    ["http instead of https", { url: url.replace("https", "http") }],
    ["another status", { params: { ...params, MessageStatus: "failed" } }],
    ["one more field", { params: { ...params, ErrorCode: "30003" } as never }],
    ["one character of it", { signature: signature.replace(/^./, (first) => (first === "A" ? "B" : "A")) }],
    ["nothing in its place", { signature: "" }],
    ["an address that is none", { url: "v1/callbacks" }],
  ])("is bad with %s", (_what, change) => expect(isSigned({ ...good, ...change })).toBe(false));
  it("is bad when there is no token to sign with", () => {
    expect(isSigned({ ...good, authToken: "", signature: twilio.getExpectedTwilioSignature("", url, params) })).toBe(
      false,
    );
  });
});
