/**
 * Twilio's error codes that mean something to a queue, each with what it is about. The words are ours, because
 * Twilio's own quote the number. A code that is not listed is judged by its HTTP status.
 */
import { hours, type Millis, seconds } from "../domain/time.ts";

export type TwilioVerdict =
  /** There is nobody to reach at this number by this channel: the number joins the suppressions. */
  | { readonly kind: "nobody" }
  /** Never this message, which says nothing of the next one. */
  | { readonly kind: "never" }
  /** This message, another time. */
  | { readonly kind: "later" }
  /** The operator's account, key or settings: nothing was called, and no message may be lost for it. */
  | { readonly kind: "operator" }
  | { readonly kind: "slow"; readonly about: "sender" | "channel"; readonly retryIn: Millis };

const nobody: TwilioVerdict = { kind: "nobody" };
const never: TwilioVerdict = { kind: "never" };
const later: TwilioVerdict = { kind: "later" };
const operator: TwilioVerdict = { kind: "operator" };

/** Twilio's 429 counts requests at the same time, which pass in seconds. */
export const TOO_MANY_REQUESTS = seconds(5);
/** A queue of a long code empties at one message a second: a minute makes room for sixty. */
const QUEUE_FULL = seconds(60);
/** Allowances of a day: an hour is the longest that anything is closed, so ask once an hour. */
const DAY_IS_SPENT = hours(1);

const slow = (about: "sender" | "channel", retryIn: Millis): TwilioVerdict => ({ kind: "slow", about, retryIn });

export const TWILIO_CODES: ReadonlyMap<number, readonly [TwilioVerdict, string]> = new Map([
  [10001, [operator, "the Twilio account is not active"]],
  [10004, [slow("channel", seconds(10)), "too many calls at the same time"]],
  [14107, [slow("sender", seconds(30)), "too many messages between the same two numbers"]],
  [20003, [operator, "Twilio refused the credentials"]],
  [20005, [operator, "the Twilio account is not active"]],
  [20006, [operator, "these credentials have no access"]],
  [20008, [operator, "test credentials cannot send"]],
  [20404, [operator, "Twilio does not know this account or address"]],
  [20429, [slow("channel", TOO_MANY_REQUESTS), "too many requests"]],
  [21211, [nobody, "not a valid phone number"]],
  [21212, [never, "not a valid caller id"]],
  [21214, [never, "the number cannot be reached"]],
  [21215, [never, "calls to this country are not permitted to the account"]],
  [21216, [never, "calls to this number are not permitted"]],
  [21217, [nobody, "not a valid phone number"]],
  [21219, [never, "a trial account may only call verified numbers"]],
  [21401, [nobody, "not a valid phone number"]],
  [21408, [never, "messages to this country are not permitted to the account"]],
  [21421, [nobody, "not a valid phone number"]],
  [21602, [never, "the message has no body"]],
  [21603, [never, "the sender is missing"]],
  [21605, [never, "the message is too long"]],
  [21606, [never, "the sender cannot send this kind of message"]],
  [21608, [never, "a trial account may only write to verified numbers"]],
  [21610, [nobody, "the recipient has unsubscribed"]],
  [21611, [slow("sender", QUEUE_FULL), "the sender's queue is full"]],
  // About the pair: from another sender the same number may well be reachable.
  [21612, [never, "no route from this sender to this recipient"]],
  [21614, [nobody, "not a mobile number"]],
  [21617, [never, "the message is too long"]],
  [21635, [nobody, "a landline cannot receive messages"]],
  [21659, [never, "the sender is not a number of this account"]],
  [21660, [never, "the sender is not a number of this account"]],
  [30001, [slow("sender", QUEUE_FULL), "the sender's queue is full"]],
  [30002, [operator, "the Twilio account is suspended"]],
  [30003, [later, "the handset cannot be reached"]],
  [30004, [never, "the recipient or carrier blocks the message"]],
  [30005, [nobody, "unknown handset"]],
  // Landline *or* unreachable carrier: the second passes, so the number is not written off.
  [30006, [never, "a landline, or a carrier that cannot be reached"]],
  [30007, [never, "filtered by the carrier"]],
  [30008, [later, "the carrier gave no reason"]],
  [30022, [slow("sender", QUEUE_FULL), "the sender's registered rate is exceeded"]],
  [30023, [slow("sender", DAY_IS_SPENT), "the sender's registered daily number is spent"]],
  [30034, [never, "the sender is not registered with the carriers"]],
  // Fraud protection: trying again is what it exists to stop.
  [30450, [never, "blocked as suspected SMS pumping"]],
  [30453, [never, "blocked as suspected SMS pumping"]],
  [63003, [nobody, "the recipient is not on WhatsApp"]],
  [63007, [never, "the sender is not a WhatsApp sender of this account"]],
  [63013, [never, "against WhatsApp's policy"]],
  [63015, [never, "the recipient has not joined the WhatsApp sandbox"]],
  [63016, [never, "outside WhatsApp's 24-hour window, where only templates may be sent"]],
  [63017, [slow("channel", QUEUE_FULL), "the account's combined rate is exceeded"]],
  [63018, [slow("sender", QUEUE_FULL), "the sender's WhatsApp rate is exceeded"]],
  [63024, [never, "the recipient cannot receive this message"]],
  [63038, [slow("channel", DAY_IS_SPENT), "the account's daily number is spent"]],
] as const satisfies readonly (readonly [number, readonly [TwilioVerdict, string]])[]);
