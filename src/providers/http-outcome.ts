/**
 * What came of a request to a service over HTTP: a pure function of its answer, in whichever of the dialects it tells of
 * its limits. A service that we know nothing of is taken at its word where it says no, and is not believed to have sent
 * nothing where it says nothing.
 */
import { easeFor } from "../domain/easing.ts";
import type { HttpService } from "../domain/http-service.ts";
import type { Outcome } from "../domain/outcome.ts";
import { minutes, type Instant, type Millis } from "../domain/time.ts";
import { readLimits, type ToldLimits } from "../domain/told-limits.ts";
import type { Exchanged } from "./exchange.ts";
import { reason } from "./reason.ts";
import { clamped } from "./retry-in.ts";

type Rules = Pick<HttpService, "providerId" | "permanent" | "notTaken" | "idempotent">;
type Reply = Extract<Exchanged, { kind: "reply" }>;

/** A refusal that does not say for how long. All limits that we know count by the minute at least. */
const UNTOLD = minutes(1);

const LONGEST_ID = 200;

/** Our key, our credit, our path, our settings: nothing was called, and no message may be lost for it. */
const OPERATORS = new Set([401, 402, 403, 404, 405, 406, 407, 415, 421, 426]);
/** This message, another time. */
const LATER = new Set([408, 409, 423, 425]);

/** What some services write in front of their JSON. */
const BYTE_ORDER_MARK = /^\uFEFF/;
/** Of JSON that has been read: a string, or a whole number that a float may not hold. */
const STRING_OR_LONG_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|(?<![\w.+-])\d{16,}(?![\w.+-])/g;

const parsed = (body: string): unknown => {
  try {
    return JSON.parse(body.replace(BYTE_ORDER_MARK, ""));
  } catch {
    return undefined;
  }
};

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;

/** Whatever a service calls its sentence. */
const wordsOf = (body: unknown): string => {
  const error = fieldOf(body, "error");
  const said = [fieldOf(body, "detail"), fieldOf(body, "message"), fieldOf(error, "message"), error];
  const words = said.find((each): each is string => typeof each === "string" && each !== "");
  return words === undefined ? "no reason given" : reason(words).slice(0, 200);
};

const withLongNumbersAsText = (json: string): string =>
  json.replace(STRING_OR_LONG_NUMBER, (found) => (found.startsWith('"') ? found : `"${found}"`));

const idAt = (text: string, body: unknown, path: readonly string[]): string | null => {
  const read = path.reduce<unknown>(fieldOf, body);
  // An id of 64 bits: what a float makes of it is another message's.
  const isRounded = typeof read === "number" && !Number.isSafeInteger(read);
  const found = isRounded ? path.reduce<unknown>(fieldOf, parsed(withLongNumbersAsText(text))) : read;
  const id = typeof found === "number" ? String(found) : found;
  return typeof id === "string" && /^[\x21-\x7e]+$/.test(id) && id.length <= LONGEST_ID ? id : null;
};

/** It may have been sent. One that is idempotent may be asked again; it is charged each time all the same. */
const uncertain = (why: string, { idempotent }: Rules): Outcome =>
  idempotent ? { kind: "uncertain", why, again: true } : { kind: "uncertain", why };

const good = ({ status, body: text }: Reply, body: unknown, told: ToldLimits, rules: Rules): Outcome => {
  const ease = easeFor(told);
  const slower = ease > 0 ? { easeFor: ease } : {};
  if (rules.providerId === null) return { kind: "sent", providerId: "", ...slower };
  const id = idAt(text, body, rules.providerId);
  // The page of something in between, or "accepted: false": whoever names messages would have named it.
  return id === null
    ? uncertain(`HTTP ${status}, but the answer names no message`, rules)
    : { kind: "sent", providerId: id, ...slower };
};

const refused = (status: number, why: string, rules: Rules): Outcome => {
  if (rules.permanent?.includes(status)) return { kind: "permanent", why };
  if (OPERATORS.has(status)) return { kind: "transient", why, called: false };
  // Those that were named are all that there are.
  if (rules.permanent !== null || LATER.has(status)) return { kind: "transient", why, called: true };
  return { kind: "permanent", why };
};

/** What goes again goes no sooner than it was told, whatever else the answer says. */
const notBefore = (outcome: Outcome, retryIn: Millis | undefined): Outcome =>
  retryIn !== undefined && (outcome.kind === "transient" || outcome.kind === "uncertain")
    ? { ...outcome, retryIn }
    : outcome;

const replied = (reply: Reply, rules: Rules, now: Instant): Outcome => {
  const { status, body: text, headers } = reply;
  const body = parsed(text);
  const header = (name: string): string | null => {
    const value = headers[name];
    return (typeof value === "string" ? value : value?.join(", ")) ?? null;
  };
  const told = readLimits({ status, header, body: body ?? text }, now);
  if (status >= 200 && status < 300) return good(reply, body, told, rules);
  const why = `HTTP ${status}: ${wordsOf(body)}`;
  if (status === 429) return { kind: "throttled", why, about: "channel", retryIn: clamped(told.retryIn ?? UNTOLD) };
  if (status >= 400 && status < 500) return notBefore(refused(status, why, rules), told.retryIn);
  if (status >= 500) {
    const isItsOwn = typeof body === "object" && body !== null;
    // "Not taken, come back then", in the service's own JSON. Without either, it may be the page of something in between,
    // written after the request went through, and so may any other 5xx.
    if (status === 503 && told.retryIn !== undefined && isItsOwn)
      return { kind: "throttled", why, about: "channel", retryIn: clamped(told.retryIn) };
    const failed: Outcome = rules.notTaken.includes(status)
      ? { kind: "transient", why, called: true }
      : uncertain(why, rules);
    return notBefore(failed, told.retryIn);
  }
  // Redirects are not followed: an answer must not choose where messages go. These say that nothing was done here.
  return [301, 302, 307, 308].includes(status)
    ? { kind: "transient", why: `HTTP ${status}: it sends us elsewhere, which is not followed`, called: false }
    : uncertain(why, rules);
};

/** @param now by this machine: only for an answer without a Date */
export const httpOutcome = (exchanged: Exchanged, rules: Rules, now: Instant): Outcome => {
  if (exchanged.kind === "reply") return replied(exchanged, rules, now);
  const why = reason(exchanged.trouble);
  // Also for email, unlike a lost SMTP connection before the last byte: HTTP does not tell how much was read.
  return exchanged.written ? uncertain(why, rules) : { kind: "transient", why, called: false };
};
