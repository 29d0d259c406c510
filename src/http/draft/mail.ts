/** An email's own fields: whatever ends up in a header is one line, and no header is set twice. */
import { holdsEncodedWord, isReservedHeader } from "../../domain/mail-header.ts";
import { parseMailbox } from "../../domain/address.ts";
import { unmet, type Problems } from "../../domain/expecting.ts";
import type { EmailContent } from "../../domain/message.ts";
import type { EmailTemplate } from "../schemas/send.ts";

/** Controls and line separators end a header line somewhere. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}]/u;
const HEADER_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,74}[A-Za-z0-9])?$/;

/** As it is named in errors, however long a name it was given. */
export const headerField = (name: string): string => `headers.${name.slice(0, 76)}`;

/** What Sluice or the mailer writes itself, what relays and signers write, and what would add recipients. */
export const readHeaders = (headers: Readonly<Record<string, string>>, problems: Problems): void => {
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(headers)) {
    const field = headerField(name);
    const canonical = name.toLowerCase();
    if (!HEADER_NAME.test(name)) unmet(problems, field, "a header's name: letters, digits and hyphens", name);
    else if (isReservedHeader(canonical)) unmet(problems, field, "a header that Sluice does not write itself", name);
    else if (seen.has(canonical)) unmet(problems, field, "each header once", name);
    if (UNPRINTABLE.test(value)) unmet(problems, field, "one line without control characters", value);
    seen.add(canonical);
  }
};

const A_MAILBOX = "one mailbox, such as ann@example.com or Ann <ann@example.com>";

/** The one mailbox, or null: noted. A name is text, which is encoded here and nowhere before. */
const readMailbox = (text: string, field: string, problems: Problems): ReturnType<typeof parseMailbox> => {
  const mailbox = parseMailbox(text);
  if (mailbox === null) unmet(problems, field, A_MAILBOX, text);
  else if (holdsEncodedWord(text)) unmet(problems, field, "a name as it is to be read, not an encoded word", text);
  return mailbox;
};

export const isOneLine = (text: string): boolean => !UNPRINTABLE.test(text);

/** The sender's bare address too, or null when `from` is not one mailbox. */
export const readMail = (
  fields: EmailTemplate,
  problems: Problems,
): { address: string | null; content: Omit<EmailContent, "to"> } => {
  const { from, subject, text, html, reply_to, headers } = fields;
  const mailbox = readMailbox(from, "from", problems);
  if (!isOneLine(subject)) unmet(problems, "subject", "one line without control characters", subject);
  if (reply_to !== undefined) readMailbox(reply_to, "reply_to", problems);
  if ((text ?? "") === "" && (html ?? "") === "") unmet(problems, "text", "text or html or both", undefined);
  if (headers !== undefined) readHeaders(headers, problems);
  // Field by field: spreading what may be absent costs ten times as much, and every message comes by here.
  const content: { -readonly [field in keyof Omit<EmailContent, "to">]: EmailContent[field] } = { from, subject };
  if (text !== undefined) content.text = text;
  if (html !== undefined) content.html = html;
  if (reply_to !== undefined) content.reply_to = reply_to;
  if (headers !== undefined) content.headers = headers;
  return { address: mailbox?.address ?? null, content };
};
