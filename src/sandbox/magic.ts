/** Recipients with which a developer can try trouble: one table, which the servers obey and the page shows. */

export interface MagicAddress {
  readonly to: string;
  readonly does: string;
  /** Said instead of accepting the recipient. */
  readonly reply?: { readonly code: number; readonly text: string };
  /** Accepts, but only after a while. */
  readonly slow?: boolean;
  /** Takes the whole message and closes the connection without a word. */
  readonly lost?: boolean;
}

export const MAGIC_ADDRESSES: readonly MagicAddress[] = [
  {
    to: "fail@sandbox.invalid",
    does: "550: no such user. Fails, and the address is suppressed",
    reply: { code: 550, text: "5.1.1 no such user" },
  },
  {
    to: "blocked@sandbox.invalid",
    does: "550: refused by policy. Fails, and the address is not suppressed",
    reply: { code: 550, text: "5.7.1 refused by policy" },
  },
  {
    to: "full@sandbox.invalid",
    does: "552: mailbox full. Fails",
    reply: { code: 552, text: "5.2.2 over quota" },
  },
  {
    to: "defer@sandbox.invalid",
    does: "451: not now. Tried again, with growing pauses",
    reply: { code: 451, text: "4.3.0 local error, not now" },
  },
  {
    to: "busy@sandbox.invalid",
    does: "450: slow down. Closes its sender for five seconds, costs no try",
    reply: { code: 450, text: "4.7.28 rate limit exceeded, try again in 5 seconds" },
  },
  {
    to: "overload@sandbox.invalid",
    does: "421: too many connections. Closes the email channel for five seconds, for everybody",
    reply: { code: 421, text: "4.7.0 too many connections, try again in 5 seconds" },
  },
  { to: "slow@sandbox.invalid", does: "Accepts, after five seconds", slow: true },
  {
    to: "lost@sandbox.invalid",
    does: "Takes the message and closes the connection without an answer. Uncertain, and sent again",
    lost: true,
  },
];

export interface MagicNumber {
  readonly to: string;
  readonly does: string;
  readonly status: number;
  /** Twilio's error code. */
  readonly code: number;
  readonly message: string;
  readonly retryAfterSeconds?: number;
}

/** The same for SMS, WhatsApp and voice. The first four mean what they mean with Twilio's own test credentials. */
export const MAGIC_NUMBERS: readonly MagicNumber[] = [
  {
    to: "+15005550001",
    does: "Not a valid number. Fails, and is suppressed",
    status: 400,
    code: 21211,
    message: "Invalid 'To' Phone Number",
  },
  {
    to: "+15005550002",
    does: "No route to it. Fails",
    status: 400,
    code: 21612,
    message: "'To' is not reachable from 'From'",
  },
  {
    to: "+15005550003",
    does: "A country that is not permitted. Fails",
    status: 403,
    code: 21408,
    message: "Permission has not been enabled for the region",
  },
  {
    to: "+15005550004",
    does: "Has unsubscribed. Fails, and is suppressed",
    status: 400,
    code: 21610,
    message: "Attempt to send to unsubscribed recipient",
  },
  {
    to: "+15005550005",
    does: "500: perhaps sent. Uncertain, and not sent again",
    status: 500,
    code: 20500,
    message: "An internal server error has occurred",
  },
  {
    to: "+15005550007",
    does: "The sender's queue is full. Closes its sender for a minute",
    status: 400,
    code: 30001,
    message: "Queue overflow",
  },
  {
    to: "+15005550009",
    does: "429 with Retry-After: 5. Closes the channel for five seconds, for everybody",
    status: 429,
    code: 20429,
    message: "Too Many Requests",
    retryAfterSeconds: 5,
  },
];
