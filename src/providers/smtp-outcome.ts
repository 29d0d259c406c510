/** What came of an attempt over SMTP: a pure function of how far it got and of what the server said. */
import type { Outcome } from "../domain/outcome.ts";
import { hours, seconds, type Millis } from "../domain/time.ts";
import { reason } from "./reason.ts";
import { hintIn } from "./retry-in.ts";
import { type SmtpReply, smtpReply } from "./smtp-reply.ts";

export interface SmtpEvidence {
  /** The server's last word on this attempt; null when it gave none. It decides over everything else. */
  readonly reply: string | null;
  /**
   * `session`: connecting, greeting, TLS, login: nothing of the message was named. `sender`: MAIL FROM.
   * `message`: anything after it.
   */
  readonly stage: "session" | "sender" | "message";
  /** The last byte of the message had been handed to the socket. */
  readonly lastByteOut: boolean;
  /** In our words, what went wrong when there was no reply: "connection refused". */
  readonly trouble: string;
}

/** Nobody says how long unless asked; a minute is what relays' own per-minute counters need to empty. */
const SLOW_DOWN = seconds(60);
/** A daily allowance is not back in a minute: ask once an hour, which is the longest a channel is closed. */
const DAY_IS_SPENT = hours(1);

/** 530 and its kin: our login or our TLS, wherever in the dialogue it is said. The operator's, not the message's. */
const LOGIN_CODES = new Set([530, 534, 535, 538]);

/**
 * Nobody there: bad mailbox, bad domain, bad syntax, moved without address, null MX. Not 1.7 and 1.8, which are about
 * the *sender's* address, nor 2.1 ("disabled"), which Gmail also says of a mailbox that gets too much mail at once.
 */
const NOBODY = new Set(["1.1", "1.2", "1.3", "1.6", "1.10"]);
/** For servers without enhanced codes. A code that says otherwise goes before the wording. */
const NOBODY_WORDS =
  /no such (?:user|recipient|mailbox)|(?:user|recipient|mailbox|address) (?:unknown|not found|does not exist)|unknown (?:user|recipient)|user doesn'?t exist/i;
/** Postfix and Exim judge the sender at RCPT TO as well, and find no such user there either: that one is us. */
const OF_SENDER = /\bsender(?:'s)? (?:address|user|mailbox|verif)/i;

const DAILY = /\bdaily\b.{0,40}\b(?:quota|limit)/i;
/** Said of the whole connection or of the account we log in with (SES, Gmail, Postfix's anvil): not of one sender. */
const PROVIDER_WIDE =
  /too many (?:concurrent )?(?:smtp )?(?:connections|sessions)|connection (?:rate|limit)|maximum sending rate|throttling failure|too much mail from|server (?:is )?(?:too )?busy/i;
const SLOW_WORDS = /\brate\b|too (?:many|much|fast|quickly)|throttl|limit (?:exceeded|reached)|exceeded .{0,40}limit/i;
/** 451 says this of any local error, and others say it of one recipient. */
const LATER = /try again later/i;
/** Greylisting is about this one recipient and passes by itself: it must not close the sender for everyone else. */
const GREYLIST = /gr[ae]y[- ]?list/i;
const IDLE = /time[d -]?\s?out|\bidle\b/i;
/** Codes that are about load or reputation by themselves, whatever the words (Gmail's 4.7.28, Microsoft's 7.500, 7.650). */
const SLOW_DETAILS = new Set(["7.28", "7.500", "7.650"]);

const slowDown = ({ code, detail, text }: SmtpReply): "sender" | "channel" | "day" | null => {
  // x.1.x and x.2.x are about the recipient's address and mailbox ("receiving mail too quickly"): nobody else waits.
  if (/^[12]\./.test(detail ?? "")) return null;
  // 5.4.5 is congestion by definition, and Gmail's "daily user sending quota exceeded": failing the message would lose it.
  if (detail === "4.5" || DAILY.test(text)) return "day";
  if (code === null || code >= 500 || GREYLIST.test(text)) return null;
  if (PROVIDER_WIDE.test(text)) return "channel";
  if (SLOW_WORDS.test(text) || SLOW_DETAILS.has(detail ?? "")) return "sender";
  // A 421 ends the connection for what we do on it, unless it idled, or the server is closing or broken (x.3, x.4).
  if (code === 421) return IDLE.test(text) || /^[34]\./.test(detail ?? "") ? null : "sender";
  return code !== 451 && LATER.test(text) && !/recipient|mailbox/i.test(text) ? "sender" : null;
};

const throttling = (reply: SmtpReply): { about: "sender" | "channel"; retryIn: Millis } | null => {
  const slow = slowDown(reply);
  if (slow === null) return null;
  const asked = hintIn(reply.text);
  if (slow === "day") return { about: "channel", retryIn: asked ?? DAY_IS_SPENT };
  return { about: slow, retryIn: asked ?? SLOW_DOWN };
};

/** Before the message was named, only "slow down" is news: all else is between the operator and the server. */
const ofSession = (reply: SmtpReply, why: string): Outcome => {
  const slow = LOGIN_CODES.has(reply.code ?? 0) ? null : throttling(reply);
  if (slow === null) return { kind: "transient", why, called: false };
  return { kind: "throttled", why, about: "channel", retryIn: slow.retryIn };
};

const ofMessage = (reply: SmtpReply, stage: "sender" | "message", why: string): Outcome => {
  const { code, detail, text } = reply;
  if (LOGIN_CODES.has(code ?? 0)) return { kind: "transient", why, called: false };
  const slow = throttling(reply);
  if (slow !== null) return { kind: "throttled", why, ...slow };
  // 503, bad sequence of commands: the session was muddled, the message was not judged.
  if ((code ?? 0) < 500 || code === 503) {
    const retryIn = hintIn(text);
    return { kind: "transient", why, called: true, ...(retryIn === null ? {} : { retryIn }) };
  }
  const bySaying = NOBODY_WORDS.test(text) && !OF_SENDER.test(text);
  const nobody = detail === null || detail === "1.0" || detail === "0.0" ? bySaying : NOBODY.has(detail);
  // A full mailbox (552 5.2.2) is permanent, as its 5 says (452 4.2.2 is the reply for "later"), but not a suppression.
  return stage === "message" && nobody ? { kind: "permanent", why, suppress: true } : { kind: "permanent", why };
};

/** The server's own name for what it took. */
const PROVIDER_IDS = [
  /\bqueued as ([\w.-]{1,100})/i, // Postfix and many others
  /^250 Ok ([\w-]{16,100})\s*$/i, // SES
  /^250 OK id=([\w-]{1,100})\s*$/, // Exim
  /^250 2\.0\.0 ([\w]{1,100}) Message accepted for delivery/, // OpenSMTPD, Sendmail
];

const providerId = (text: string): string =>
  PROVIDER_IDS.map((pattern) => pattern.exec(text)?.[1]).find((id) => id !== undefined) ?? "";

/** No reply, or one that means nothing here: how far the message got decides. */
const withoutVerdict = (stage: SmtpEvidence["stage"], lastByteOut: boolean, why: string): Outcome => {
  if (stage === "session") return { kind: "transient", why, called: false };
  return lastByteOut ? { kind: "uncertain", why } : { kind: "transient", why, called: true };
};

/** Said instead of a greeting or at EHLO: that there are too many already, of ours or of everybody's; not for how long. */
const OF_CONNECTIONS = /too many .{0,40}\b(?:connection|session)s|\b(?:connection|session)s? .{0,20}limit/i;
export const refusesConnection = ({ reply, stage }: SmtpEvidence): boolean => {
  if (reply === null || stage !== "session") return false;
  const { code, text } = smtpReply(reply);
  return code !== null && code < 500 && code >= 400 && OF_CONNECTIONS.test(text) && hintIn(text) === null;
};

/** "Too many messages in this connection", and the server ends it: over another it is taken. */
const OF_THIS_CONNECTION = /\b(?:messages|mails|transactions)\b.{0,40}\bth(?:is|e) (?:smtp )?(?:connection|session)\b/i;
export const endsConnection = ({ reply, stage }: SmtpEvidence): boolean => {
  if (reply === null || stage === "session") return false;
  const { code, text } = smtpReply(reply);
  return code === 421 && OF_THIS_CONNECTION.test(text);
};

export const smtpOutcome = ({ reply: raw, stage, lastByteOut, trouble }: SmtpEvidence): Outcome => {
  if (raw === null) return withoutVerdict(stage, lastByteOut, reason(trouble));
  const reply = smtpReply(raw);
  const said = reason(raw);
  if (reply.code !== null && reply.code >= 400)
    return stage === "session" ? ofSession(reply, said) : ofMessage(reply, stage, said);
  if (reply.code === null || reply.code >= 300 || stage !== "message")
    return withoutVerdict(stage, lastByteOut, `expected another SMTP reply, got "${said.slice(0, 200)}"`);
  // "yes" counts once there was something to say yes to. Before that it answers something else (a muddled server
  // one reply ahead), while the rest of the message may still be on its way to it.
  if (!lastByteOut) return { kind: "uncertain", why: `accepted before its end: ${said.slice(0, 200)}` };
  return { kind: "sent", providerId: providerId(reply.text) };
};
