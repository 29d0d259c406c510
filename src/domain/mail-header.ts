/** Headers that a caller may not set: those that a mailer writes itself, and those by which relays take orders. */

const OURS: ReadonlySet<string> = new Set([
  "from", "to", "cc", "bcc", "sender", "reply-to", "subject", "date", "message-id", "return-path", "received",
  "mime-version", "dkim-signature", "authentication-results", "envelope-to", "delivered-to", "apparently-to",
  // A relay that obeys one of these sends a mail to more recipients than the one that was counted.
  "x-smtpapi", "x-msys-api", "x-ses-source-arn", "x-ses-from-arn", "x-ses-return-path-arn",
]); // prettier-ignore

/** Content and resending are the mailer's; the others belong to relays: Mandrill, Mailgun, Mailjet, Postmark, SparkPost. */
const FAMILIES = [
  "content-",
  "resent-",
  "arc-",
  "x-sluice-",
  "received-",
  "x-mc-",
  "x-mailgun-",
  "x-mj-",
  "x-pm-",
  "x-msys-",
];

export const isReservedHeader = (name: string): boolean => {
  const lower = name.toLowerCase();
  return OURS.has(lower) || FAMILIES.some((family) => lower.startsWith(family));
};

/**
 * RFC 2047's `=?utf-8?Q?…?=`: ASCII to whoever checks it, and to whoever reads it anything, line breaks too. What is a
 * text here is one there: it is encoded as it stands, or refused.
 */
const ENCODED_WORD = /=\?[^?]*\?[bq]\?[^?]*\?=/i;

export const holdsEncodedWord = (text: string): boolean => ENCODED_WORD.test(text);
