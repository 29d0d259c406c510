/**
 * What came of a request to Twilio: a pure function of the reply. Creating a message or a call is not idempotent,
 * and Twilio has no key that would make it so: whatever may have been created is `uncertain`, and is not sent again.
 */
import type { Outcome } from "../domain/outcome.ts";
import type { Instant } from "../domain/time.ts";
import { reason } from "./reason.ts";
import { retryAfter } from "./retry-in.ts";
import { TOO_MANY_REQUESTS, TWILIO_CODES, type TwilioVerdict } from "./twilio-codes.ts";

export type TwilioEvidence =
  | {
      readonly kind: "reply";
      readonly status: number;
      /** What of the body was read: cut off at a limit, or by a lost connection. */
      readonly body: string;
      readonly retryAfter?: string | undefined;
      readonly date?: string | undefined;
    }
  /** No reply. `written` once a byte of the request may have reached the network. */
  | { readonly kind: "no_reply"; readonly written: boolean; readonly trouble: string };

const fieldsOf = (body: string): Readonly<Record<string, unknown>> => {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
};

const judged = (verdict: TwilioVerdict, why: string, asked: ReturnType<typeof retryAfter>): Outcome => {
  if (verdict.kind === "nobody") return { kind: "permanent", why, suppress: true };
  if (verdict.kind === "never") return { kind: "permanent", why };
  if (verdict.kind === "later")
    return { kind: "transient", why, called: true, ...(asked === null ? {} : { retryIn: asked }) };
  if (verdict.kind === "operator") return { kind: "transient", why, called: false };
  return { kind: "throttled", why, about: verdict.about, retryIn: asked ?? verdict.retryIn };
};

/** A refusal without a code that we know. */
const byStatus = (status: number): TwilioVerdict => {
  if (status === 429) return { kind: "slow", about: "channel", retryIn: TOO_MANY_REQUESTS };
  // Not our credentials, not our path, or an address that sends us elsewhere: what is configured is wrong.
  if (status === 401 || status === 404 || status === 405 || status === 407) return { kind: "operator" };
  if (status === 408 || status === 409 || status === 425) return { kind: "later" };
  return { kind: "never" };
};

export const twilioOutcome = (evidence: TwilioEvidence, now: Instant): Outcome => {
  if (evidence.kind === "no_reply") {
    const why = reason(evidence.trouble);
    return evidence.written ? { kind: "uncertain", why } : { kind: "transient", why, called: false };
  }
  const { status } = evidence;
  const { sid, code, message } = fieldsOf(evidence.body);
  if (status >= 200 && status < 300) {
    if (typeof sid === "string" && /^\w{1,64}$/.test(sid)) return { kind: "sent", providerId: sid };
    return { kind: "uncertain", why: `HTTP ${status}, but the answer names no message` };
  }
  const asked = retryAfter(evidence.retryAfter, evidence.date, now);
  const known = typeof code === "number" ? TWILIO_CODES.get(code) : undefined;
  const words = known?.[1] ?? (typeof message === "string" ? reason(message).slice(0, 200) : "no reason given");
  const why = `HTTP ${status}${typeof code === "number" ? `, Twilio ${code}` : ""}: ${words}`;
  if (status >= 500) {
    // 503 with Retry-After in Twilio's own JSON says "not taken, come back". Without either it may be the page of
    // something in between, written after the request went through; and of its 500 Twilio says itself that the
    // message may have been created (20500).
    if (status === 503 && asked !== null && typeof code === "number")
      return { kind: "throttled", why, about: "channel", retryIn: asked };
    return { kind: "uncertain", why };
  }
  // A redirect is not followed: these four say that the request was not handled here, so the base URL is wrong.
  if (status < 400)
    return [301, 302, 307, 308].includes(status)
      ? { kind: "transient", why, called: false }
      : { kind: "uncertain", why };
  return judged(known?.[0] ?? byStatus(status), why, asked);
};
