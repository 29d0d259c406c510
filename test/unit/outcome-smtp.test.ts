import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { Outcome } from "../../src/domain/outcome.ts";
import { hours, minutes, seconds } from "../../src/domain/time.ts";
import { endsConnection, refusesConnection, type SmtpEvidence, smtpOutcome } from "../../src/providers/smtp-outcome.ts";

const after = (reply: string | null, more: Partial<SmtpEvidence> = {}): Outcome =>
  smtpOutcome({ reply, stage: "message", lastByteOut: false, trouble: "the connection was lost", ...more });

/** The outcome without its words. */
const kind = ({ ...outcome }: Outcome): unknown => {
  if ("why" in outcome) delete (outcome as { why?: string }).why;
  return outcome;
};

const failed = { kind: "permanent" };
const nobody = { kind: "permanent", suppress: true };
const later = { kind: "transient", called: true };
const notCalled = { kind: "transient", called: false };
const slow = (about: "sender" | "channel", retryIn = seconds(60)) => ({ kind: "throttled", about, retryIn });

describe("a reply about the message", () => {
  it.each([
    // Nobody there.
    ["550 5.1.1 <x@example.com>: Recipient address rejected: User unknown", nobody],
    ["550-5.1.1 The email account that you tried to reach does not exist.\n550 5.1.1 Learn more", nobody],
    ["553 5.1.2 We weren't able to find the recipient domain", nobody],
    ["501 5.1.3 Bad recipient address syntax", nobody],
    ["551 5.1.6 Mailbox has moved", nobody],
    ["556 5.1.10 Recipient address has null MX", nobody],
    ["550 No such user here", nobody],
    ["550 user unknown", nobody],
    ["550 5.0.0 Mailbox not found", nobody],
    ["550 5.1.0 Address does not exist", nobody],
    ["550 No such recipient, return to sender", nobody],
    // Never, but somebody may be there.
    ["550 5.1.0 Address rejected", failed],
    ["550 5.1.0 <shop@example.org>: Sender address rejected: User unknown in local recipient table", failed],
    ["550 Sender user unknown", failed],
    [
      "550-Verification failed for <shop@example.org>\n550-Response: 550 No such user here\n550 Sender verify failed",
      failed,
    ],
    ["550 5.1.8 Sender's system address is bad", failed],
    ["550 5.1.90 message refused", failed],
    ["550 5.7.1 user unknown, or so says our policy", failed],
    ["550 5.7.1 Message rejected as spam", failed],
    ["554 5.7.1 Relay access denied", failed],
    ["550 5.7.26 Unauthenticated mail is not accepted", failed],
    ["550 5.2.1 The account is disabled", failed],
    ["552 5.2.2 Mailbox full, over quota", failed],
    ["552 5.2.2 The recipient's daily receiving limit is reached", failed],
    ["552 5.3.4 Message size exceeds fixed limit", failed],
    ["554 Transaction failed", failed],
    ["554 5.6.0 Message content rejected", failed],
    ["500 5.5.1 Unrecognized command", failed],
    ["521 5.2.1 Does not accept mail", failed],
    ["599 whatever this is", failed],
    // Another time.
    ["451 4.3.0 Local error in processing", later],
    ["451 Temporary server error. Please try again later.", later],
    ["451 4.3.5 Server configuration problem", later],
    ["451 4.4.1 No answer from the next host", later],
    ["450 4.1.1 Recipient address rejected: unverified address: try again later", later],
    ["450 Recipient temporarily rejected, try again later", later],
    ["450 4.2.1 The user you are trying to contact is receiving mail too quickly", later],
    ["452 4.2.2 The mailbox is over quota", later],
    ["452 4.3.1 Insufficient system storage", later],
    ["454 4.7.5 Certificate could not be validated", later],
    ["421 4.4.2 Timeout while waiting for data", later],
    ["421 Timeout - closing connection", later],
    ["421 4.3.2 System is shutting down", later],
    ["503 5.5.1 Bad sequence of commands", later],
    ["450 4.2.0 Greylisted, see you soon", later],
    ["451 4.7.1 Greylisting in action, come back in 5 minutes", { ...later, retryIn: minutes(5) }],
    ["450 4.7.1 greylisted for 300 seconds (too many new senders)", { ...later, retryIn: minutes(5) }],
    // Slow down: this sender.
    ["450 4.7.28 Gmail has detected an unusual rate of mail", slow("sender")],
    ["421 4.7.28 Our system has detected something", slow("sender")],
    ["451 4.7.500 Try later", slow("sender")],
    ["451 4.7.650 The mail server has been temporarily limited", slow("sender")],
    ["450 4.7.1 Error: too many messages from this sender", slow("sender")],
    ["452 4.5.3 Too many recipients this hour", slow("sender")],
    ["450 Try again later", slow("sender")],
    ["452 4.7.1 Try again later", slow("sender")],
    ["421 Service not available", slow("sender")],
    ["421 4.7.0 [TSS04] Messages temporarily deferred due to user complaints", slow("sender")],
    ["450 4.7.1 Rate limited, retry after 30 seconds", slow("sender", seconds(30))],
    ["450 4.7.1 Rate limited, retry after 30s", slow("sender", seconds(30))],
    ["450 4.7.1 Rate limited, wait 2 min", slow("sender", minutes(2))],
    ["450 4.7.1 Rate limited, try again in 9 hours", slow("sender", hours(1))],
    ["450 4.7.1 Rate limited, try again in 0 seconds", slow("sender", seconds(1))],
    // Slow down: everybody.
    ["454 Throttling failure: Maximum sending rate exceeded.", slow("channel")],
    ["454 Throttling failure: Daily message quota exceeded.", slow("channel", hours(1))],
    ["454 4.7.0 Daily message quota exceeded", slow("channel", hours(1))],
    ["550 5.4.5 Daily user sending limit exceeded", slow("channel", hours(1))],
    ["421 Too many concurrent SMTP connections", slow("channel")],
    ["421 4.7.0 Error: too many connections from your host", slow("channel")],
    ["450 4.7.1 Error: too much mail from your host", slow("channel")],
    ["451 4.7.1 Server busy, retry in 90 seconds", slow("channel", seconds(90))],
    // The operator's login and TLS.
    ["530 5.7.0 Must issue a STARTTLS command first", notCalled],
    ["530 5.7.1 Authentication required", notCalled],
    ["534 5.7.9 Application-specific password required", notCalled],
    ["535 5.7.8 Username and password not accepted", notCalled],
    ["538 5.7.11 Encryption required", notCalled],
  ])("%s", (reply, outcome) => {
    // Whether the last byte had gone out makes no difference once there is a reply.
    expect(kind(after(reply))).toEqual(outcome);
    expect(kind(after(reply, { lastByteOut: true }))).toEqual(outcome);
  });

  it("is success after the last byte, with the server's own name for the message", () => {
    const out = { lastByteOut: true };
    expect(after("250 2.0.0 Ok: queued as 4F2A1", out)).toEqual({ kind: "sent", providerId: "4F2A1" });
    expect(after("250 Ok 0100018b5c3c0a4f-5d2f-000000", out)).toEqual({
      kind: "sent",
      providerId: "0100018b5c3c0a4f-5d2f-000000",
    });
    expect(after("250 OK id=1tF3kQ-00000000Abc-1xYz", out)).toEqual({
      kind: "sent",
      providerId: "1tF3kQ-00000000Abc-1xYz",
    });
    expect(after("250 2.0.0 8c5d4f3a Message accepted for delivery", out)).toEqual({
      kind: "sent",
      providerId: "8c5d4f3a",
    });
    expect(after("250 2.0.0 Message accepted for delivery", out)).toEqual({ kind: "sent", providerId: "" });
    expect(after("250", out)).toEqual({ kind: "sent", providerId: "" });
    expect(after("250-first\n250 second", out)).toEqual({ kind: "sent", providerId: "" });
  });

  it("is uncertain when it says yes before the message was complete", () => {
    expect(after("250 2.0.0 ok").kind).toBe("uncertain");
  });

  it("never suppresses a recipient for what is said of the sender", () => {
    expect(kind(after("550 5.1.1 unknown user", { stage: "sender" }))).toEqual(failed);
  });
});

describe("a reply before the message was named", () => {
  it.each([
    ["554 5.7.1 Your address is blocked", notCalled],
    ["535 5.7.8 Bad credentials, daily limit or not", notCalled],
    ["454 4.7.0 Temporary authentication failure", notCalled],
    ["550 5.1.1 user unknown", notCalled],
    ["220 hello", notCalled],
    ["hello", notCalled],
    ["421 4.7.0 Too many connections, try again in 10 seconds", slow("channel", seconds(10))],
    ["421 4.7.0 rate exceeded", slow("channel")],
  ])("%s", (reply, outcome) => {
    expect(kind(after(reply, { stage: "session" }))).toEqual(outcome);
  });
});

describe("what is about the connection alone", () => {
  const about = (reply: string | null, stage: SmtpEvidence["stage"]) => {
    const evidence = { reply, stage, lastByteOut: false, trouble: "" };
    return [refusesConnection(evidence), endsConnection(evidence)];
  };

  it.each([
    "421 Too many concurrent SMTP connections; please try again later.", // Exim
    "421 Too many concurrent SMTP connections from this IP address; please try again later.", // Exim
    "421 4.7.0 relay.example.com Error: too many connections from 192.0.2.1", // Postfix
    "421 4.3.2 Too many open connections.", // OpenSMTPD, Exchange
    "421 4.7.0 Maximum concurrent session limit reached",
    "450 4.7.0 connection rate limit exceeded",
  ])("refuses one, while others may be had: %s", (reply) => {
    expect(about(reply, "session")).toEqual([true, false]);
    expect(about(reply, "message")).toEqual([false, false]);
  });

  it.each([
    "421 too many messages in this connection", // Exim
    "421 4.3.2 Too many mails in this session, reconnect",
    "421 4.7.0 Too many transactions for this SMTP session",
  ])("ends one, and another will do: %s", (reply) => {
    expect(about(reply, "sender")).toEqual([false, true]);
    expect(about(reply, "session")).toEqual([false, false]);
  });

  it.each([
    null,
    "421 4.3.2 System is shutting down",
    "554 5.7.1 too many connections from a bad neighbourhood",
    "451 4.7.1 too many messages from you today",
    "450 4.2.1 The user you are trying to contact is receiving mail too quickly",
    "421 4.4.2 Connection timed out",
    "452 4.3.2 Too many mails in this session", // and goes on with it
  ])("is neither: %s", (reply) => {
    for (const stage of ["session", "sender", "message"] as const) expect(about(reply, stage)).toEqual([false, false]);
  });
});

describe("no reply, or nonsense", () => {
  it.each([null, "", "hello", "2", "25 ok", "999 what", "100 continue", "2500 ok", "354 go on", "<html>", "٢٥٠ ok"])(
    "%j is tried again before the last byte, and uncertain after it",
    (reply) => {
      expect(kind(after(reply, { stage: "session" }))).toEqual(notCalled);
      expect(kind(after(reply))).toEqual(later);
      expect(kind(after(reply, { lastByteOut: true }))).toEqual({ kind: "uncertain" });
    },
  );
});

it("answers something sensible to any reply at all", () => {
  const reply = fc.oneof(
    fc.string({ unit: "binary", maxLength: 3_000 }),
    fc
      .tuple(fc.integer({ min: 0, max: 999 }), fc.constantFrom(" ", "-", ""), fc.string())
      .map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(reply, fc.constantFrom("session", "sender", "message"), fc.boolean(), (text, stage, lastByteOut) => {
      const outcome = after(text, { stage, lastByteOut });
      if (outcome.kind === "sent") expect(text).toMatch(/^2\d\d/);
      else expect(outcome.why.length).toBeLessThanOrEqual(300);
      if (outcome.kind === "permanent") expect(text).toMatch(/^5\d\d/);
      if (outcome.kind === "throttled") {
        expect(outcome.retryIn).toBeGreaterThanOrEqual(seconds(1));
        expect(outcome.retryIn).toBeLessThanOrEqual(hours(1));
      }
      if (stage === "session") expect(["transient", "throttled"]).toContain(outcome.kind);
    }),
    { numRuns: 2_000 },
  );
});
