/**
 * Who a message is from and to. Everything here is strict, because what looks like one address and is read as two by
 * the mailer is two deliveries for one unit of quota. Lengths are checked before anything else looks at the text.
 */
import { domainToASCII, domainToUnicode } from "node:url";
import { parsePhoneNumberFromString } from "libphonenumber-js";

/** RFC 5321: a path is at most 256 octets with its angle brackets, a local part at most 64. */
const LONGEST_ADDRESS = 254;
const LONGEST_LOCAL_PART = 64;
/** Ours: an address and as much again for the name. A From header is one line, not a letter. */
const LONGEST_MAILBOX = 2 * LONGEST_ADDRESS;

/** RFC 5322's dot-atom. No quoted local parts: mailers disagree about what is inside them. */
const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
/** What may be handed to domainToASCII, which is a URL's host parser: it would take ports, paths and %-escapes too. */
const DOMAIN_TEXT = /^[A-Za-z0-9.\-\u0080-\uffff]+$/;
const DOMAIN_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const ONLY_DIGITS = /^[0-9]+$/;

/** What most domains are, and a host parser leaves as it is: nothing to decode, and no number for a last label. */
const IS_CANONICAL = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Node 24 lets a label through that claims to be encoded and is not; Node 20 does not. */
const isDecodable = (label: string): boolean => !domainToUnicode(label).startsWith("xn--");

/** In lower case and ASCII ("münchen.de" is "xn--mnchen-3ya.de"), with a dot in it; null for anything else. */
const parseDomain = (text: string): string | null => {
  if (IS_CANONICAL.test(text) && !text.includes("xn--")) return text;
  if (!DOMAIN_TEXT.test(text)) return null;
  const labels = domainToASCII(text).split(".");
  const isHost = labels.length > 1 && labels.every((label) => DOMAIN_LABEL.test(label) && isDecodable(label));
  // A last label of digits is an IPv4 address, however it was written.
  return isHost && !ONLY_DIGITS.test(labels.at(-1)!) ? labels.join(".") : null;
};

/**
 * Exactly one bare address, `local@domain`, its domain made canonical; null for anything else: two addresses, a display
 * name, white space, comments, routes, control characters, 255 characters.
 */
export const parseEmailAddress = (text: string): string | null => {
  if (text.length > LONGEST_ADDRESS) return null;
  const at = text.indexOf("@");
  if (at === -1 || at > LONGEST_LOCAL_PART) return null;
  const local = text.slice(0, at);
  // Of a second @ neither part may have any.
  if (!LOCAL_PART.test(local)) return null;
  const given = text.slice(at + 1);
  const domain = parseDomain(given);
  if (domain === null) return null;
  const address = domain === given ? text : `${local}@${domain}`;
  return address.length <= LONGEST_ADDRESS ? address : null;
};

/** Controls and line separators end a header line somewhere; a lone surrogate is no text. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;
/** What has a meaning of its own in an unquoted name: a comma there would make it two mailboxes. */
const SPECIAL = /[,;:<>()[\]@"\\]/;

/** The name before the angle bracket, unquoted; "" if there is none, null if it is not one name. */
const parseDisplayName = (text: string): string | null => {
  if (!text.startsWith('"')) return SPECIAL.test(text) ? null : text;
  if (text.length < 2 || !text.endsWith('"')) return null;
  let name = "";
  for (let i = 1; i < text.length - 1; i++) {
    if (text[i] === '"') return null;
    // A backslash takes the next character as it is, which must not be the closing quote.
    if (text[i] === "\\" && ++i === text.length - 1) return null;
    name += text[i];
  }
  return name.trim();
};

/** One mailbox as a From header has it: `a@b.c`, `Name <a@b.c>` or `"Name, Inc." <a@b.c>`. */
export const parseMailbox = (text: string): { address: string; name?: string } | null => {
  if (text.length > LONGEST_MAILBOX || UNPRINTABLE.test(text)) return null;
  const trimmed = text.trim();
  const bracket = trimmed.lastIndexOf("<");
  if (bracket === -1) {
    const address = parseEmailAddress(trimmed);
    return address === null ? null : { address };
  }
  if (!trimmed.endsWith(">")) return null;
  const name = parseDisplayName(trimmed.slice(0, bracket).trim());
  const address = parseEmailAddress(trimmed.slice(bracket + 1, -1));
  if (name === null || address === null) return null;
  return name === "" ? { address } : { address, name };
};

/** The sender that an address or a number is: quotas are kept by it, so that `Ann@a.org` is no second `ann@a.org`. */
export const senderKey = (address: string): string => address.toLowerCase();

/** E.164 allows 15 digits; no number that can be called from abroad has fewer than 7. */
const E_164 = /^\+[0-9]{7,15}$/;

/**
 * A number in E.164, as it was given, if its country has numbers of that length; null for anything else: spaces, other
 * scripts' digits, extensions. Whether the number is assigned only the provider knows (numbering plans change faster
 * than libraries), and Twilio's test numbers must pass. One number has one spelling: +44 07911… rings at the same place
 * as +44 7911…, and would be a way past a suppression or a sender's quota.
 */
export const parsePhone = (text: string): string | null => {
  if (text.length > 16 || !E_164.test(text)) return null;
  const number = parsePhoneNumberFromString(text);
  return number?.number === text && number.isPossible() ? text : null;
};
