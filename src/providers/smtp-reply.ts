/** One SMTP reply, taken apart: `550 5.1.1 no such user`. */

export interface SmtpReply {
  /** Null when the reply does not begin with three digits between 200 and 599: nonsense. */
  readonly code: number | null;
  /** The enhanced status (RFC 3463) without its class: "1.1" of 5.1.1. Its class must be the code's own. */
  readonly detail: string | null;
  readonly text: string;
}

/** What a reply may hold before anything is searched in it; servers' real ones are under 512 (RFC 5321). */
const READ = 2_000;

export const smtpReply = (raw: string): SmtpReply => {
  const text = raw.slice(0, READ);
  const code = /^([2-5]\d\d)(?:[\s-]|$)/.exec(text)?.[1];
  const detail =
    code === undefined
      ? undefined
      : new RegExp(`^${code}[ -]${code[0]}\\.(\\d{1,3}\\.\\d{1,3})\\b`, "m").exec(text)?.[1];
  return { code: code === undefined ? null : Number(code), detail: detail ?? null, text };
};
