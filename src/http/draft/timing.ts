/** When a message may go, and when it is too late for it. */
import { unmet, type Problems } from "../../domain/expecting.ts";
import { days, instant, seconds, type Instant } from "../../domain/time.ts";
import { isOutOfReach, parseTimestamp } from "../../domain/timestamp.ts";

/** A caller's clock may be this far behind ours, or the request this long on its way. */
const LATEST_PAST = seconds(60);
/** A year that may be a leap year. */
const FURTHEST = days(366);

const EXPECTED = "a time in RFC 3339 with an offset, such as 2026-03-01T10:00:00+05:30";
const WITHIN_REACH = "a time of the years 1970 to 2100";

/** Notes a time that cannot be read, and answers undefined. */
export const readTime = (text: string | undefined, field: string, problems: Problems): Instant | undefined => {
  if (text === undefined) return undefined;
  return parseTimestamp(text) ?? unmet(problems, field, isOutOfReach(text) ? WITHIN_REACH : EXPECTED, text);
};

export interface TimingFields {
  readonly send_at?: string;
  readonly expires_at?: string;
  readonly ttl?: number;
}

/** Whether the request asks anything of the time, so that Redis must be asked what time it is. */
export const isTimed = (fields: TimingFields): boolean =>
  fields.send_at !== undefined || fields.expires_at !== undefined || fields.ttl !== undefined;

export const readTiming = (
  fields: TimingFields,
  now: Instant,
  problems: Problems,
): { sendAt?: Instant; expiresAt?: Instant } => {
  const sendAt = readTime(fields.send_at, "send_at", problems);
  if (sendAt !== undefined && sendAt < now - LATEST_PAST)
    unmet(problems, "send_at", "a time not more than 60 s past", fields.send_at);
  if (sendAt !== undefined && sendAt > now + FURTHEST)
    unmet(problems, "send_at", "a time at most a year ahead", fields.send_at);
  const start = instant(Math.max(now, sendAt ?? now));
  if (fields.ttl !== undefined && fields.expires_at !== undefined)
    unmet(problems, "ttl", "either ttl or expires_at, not both", fields.ttl);
  const given = readTime(fields.expires_at, "expires_at", problems);
  if (given !== undefined && given <= start)
    unmet(
      problems,
      "expires_at",
      sendAt === undefined ? "a time to come" : "a time to come, after send_at",
      fields.expires_at,
    );
  const expiresAt = given ?? (fields.ttl === undefined ? undefined : instant(start + seconds(fields.ttl)));
  return { ...(sendAt === undefined ? {} : { sendAt }), ...(expiresAt === undefined ? {} : { expiresAt }) };
};
