/**
 * A message as nodemailer is to build it, field by field from strings: never a caller's object, in which nodemailer
 * would find files to read and lists of recipients. The API refuses all of this earlier; this is the second lock.
 */
import { holdsEncodedWord, isReservedHeader } from "../domain/mail-header.ts";
import type { SendMailOptions } from "nodemailer";
import addressparser from "nodemailer/lib/addressparser";
import { encodeWord } from "nodemailer/lib/mime-funcs";
import { parseEmailAddress } from "../domain/address.ts";
import type { EmailContent } from "../domain/message.ts";
import type { Dispatch } from "./provider.ts";

const HEADER_NAME = /^[!-9;-~]{1,76}$/;

/** RFC 5321's longest path; also what keeps nodemailer's address parser, once quadratic, on short strings. */
const LONGEST_ADDRESS = 254;
/** RFC 5322's longest line: what a header of ours may be before it is folded. */
const LONGEST_HEADER = 998;

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const BREAKS = /[\r\n\0]/;

/** The one address that a header holds, or null: two in it would be two recipients for one unit of quota. */
const oneAddress = (text: string): { name: string; address: string } | null => {
  if (BREAKS.test(text) || text.length > LONGEST_HEADER || holdsEncodedWord(text)) return null;
  const [only, ...others] = addressparser(text, { flatten: true });
  const address = only?.address ?? "";
  if (only === undefined || others.length > 0 || address.length > LONGEST_ADDRESS) return null;
  return parseEmailAddress(address) === null ? null : { name: only.name, address };
};

/** As quotas and suppressions know it: a header may spell a domain as its readers do ("münchen.de"). */
const canonical = (address: string): string => (parseEmailAddress(address) ?? address).toLowerCase();

/** Nodemailer encodes what is no ASCII, and an encoded word is. After a template's variables are in: two can make one. */
const subjectOf = (text: string): string => (holdsEncodedWord(text) ? encodeWord(text, "Q", 52) : text);

const sameAddress = (one: string, other: string): boolean => canonical(one) === canonical(other);

const badHeader = (headers: Readonly<Record<string, string>>): string | null => {
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name)) return "a header's name holds something else than printable ASCII without colon";
    if (isReservedHeader(name)) return `the header ${name} is written by Sluice`;
    if (typeof value !== "string" || BREAKS.test(value)) return `the header ${name} holds a line break`;
  }
  return null;
};

/** `baseBoundary` is nodemailer's, and missing from its types. */
export type Mail = SendMailOptions & { readonly baseBoundary: string };

/** Nodemailer's options, or in a sentence why this can never be a mail. */
export const mailOf = (message: Dispatch, messageIdDomain: string): Mail | string => {
  const content = message.content as EmailContent;
  const from = oneAddress(content.from);
  if (from === null || !sameAddress(from.address, message.sender)) return "from: expected one address, the sender's";
  const to = oneAddress(message.recipient);
  if (to === null || !sameAddress(to.address, message.recipient)) return "to: expected one bare address";
  if (typeof content.subject !== "string" || BREAKS.test(content.subject)) return "subject: expected one line of text";
  const replyTo = content.reply_to === undefined ? undefined : oneAddress(content.reply_to);
  if (replyTo === null) return "reply_to: expected one address";
  const refused = badHeader(content.headers ?? {});
  if (refused !== null) return `headers: ${refused}`;
  for (const part of [content.text, content.html])
    if (part !== undefined && typeof part !== "string") return "text, html: expected text";
  return {
    envelope: { from: message.sender, to: [message.recipient] },
    from,
    to: { name: "", address: message.recipient },
    subject: subjectOf(content.subject),
    // The same on every try, to the byte: a receiver that sees a message twice can tell that it is one.
    messageId: `<${message.id}@${messageIdDomain}>`,
    baseBoundary: message.id,
    date: new Date(message.createdAt),
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(content.text === undefined ? {} : { text: content.text }),
    ...(content.html === undefined ? {} : { html: content.html }),
    ...(content.headers === undefined ? {} : { headers: { ...content.headers } }),
    disableFileAccess: true,
    disableUrlAccess: true,
  };
};
