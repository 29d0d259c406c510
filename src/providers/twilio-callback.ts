/** What Twilio tells by itself about a message: whether it is Twilio that tells, and what it means. */
// Of the SDK only this: the API's process has no use for the rest, which takes a while to load.
import { validateRequest } from "twilio/lib/webhooks/webhooks.js";
import { TWILIO_CODES } from "./twilio-codes.ts";
import { verdictOf, type Verdict } from "./twilio-status.ts";

/** A form's fields; a list where one came more than once. */
export type Form = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface News {
  readonly verdict: Verdict;
  /** Twilio's id of the message or call. */
  readonly providerId: string;
  /** Why it was not delivered; "" for none. */
  readonly reason: string;
}

/** Where Twilio is to call about a message. */
export const statusCallbackAt =
  (publicUrl: string) =>
  (messageId: string): string =>
    `${publicUrl}/v1/callbacks/twilio/status?message_id=${messageId}`;

const WITHOUT_A_CODE: ReadonlyMap<string, string> = new Map([
  ["busy", "the line was busy"],
  ["no-answer", "nobody answered"],
  ["canceled", "it was canceled at Twilio"],
]);

const reasonOf = (status: string, code: string | null): string => {
  const number = code !== null && /^\d{4,6}$/.test(code) ? Number(code) : null;
  const words = (number === null ? null : TWILIO_CODES.get(number)?.[1]) ?? WITHOUT_A_CODE.get(status);
  return `${number === null ? "Twilio" : `Twilio ${number}`}: ${words ?? "not delivered, no reason given"}`;
};

/** A field's one value. What came twice with two meanings has none. */
const one = (form: Form, name: string): string | null => {
  const values = new Set([form[name] ?? []].flat());
  const [value] = values;
  return values.size === 1 && value !== undefined ? value : null;
};

/** Null: nothing that we know what to make of. */
export const newsOf = (form: Form): News | null => {
  const status = one(form, "MessageStatus") ?? one(form, "CallStatus");
  const providerId = one(form, "MessageSid") ?? one(form, "CallSid");
  const verdict = status === null ? null : verdictOf(status);
  if (status === null || verdict === null || providerId === null || !/^\w{1,64}$/.test(providerId)) return null;
  const reason = verdict === "undelivered" ? reasonOf(status, one(form, "ErrorCode")) : "";
  return { verdict, providerId, reason };
};

/**
 * Whether it was signed with our token for this very URL. The URL is the one that Twilio was given (PUBLIC_URL, then the
 * path and the query as they came): what the Host header says is anybody's, and behind a proxy not even Twilio's.
 */
export const isSigned = (request: {
  readonly authToken: string;
  readonly url: string;
  readonly params: Form;
  readonly signature: string;
}): boolean => {
  const { authToken, url, params, signature } = request;
  // An SDK that had no token would compare with an HMAC that anybody can make.
  if (authToken === "" || signature === "" || !URL.canParse(url)) return false;
  return validateRequest(authToken, signature, url, params);
};
