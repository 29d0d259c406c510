/**
 * How long a provider asks us to wait, as a length of time and never as an instant: nobody's clock but Redis's
 * decides when it is over.
 */
import { httpDate } from "../domain/http-date.ts";
import { hours, type Instant, milliseconds, type Millis, minutes, seconds } from "../domain/time.ts";

/** "At once" costs no try: taken at its word, it would be asked as fast as the rate allows, for as long as it says so. */
const SHORTEST = seconds(1);

/** A day's pause asked for by one odd reply must not close a channel for a day: after an hour we ask again. */
const LONGEST = hours(1);

export const clamped = (wait: number): Millis => milliseconds(Math.min(Math.max(Math.ceil(wait), SHORTEST), LONGEST));

const UNIT: Readonly<Record<string, Millis>> = { s: seconds(1), m: minutes(1), h: hours(1) };
const HINT = /(?:after|in|for|wait)\s{0,4}(\d{1,6})\s{0,4}(s|m|h)(?:ec(?:ond)?s?|in(?:ute)?s?|(?:ou)?rs?)?\b/i;

/** "try again in 5 minutes", "retry after 30s", "wait 120 seconds": null when the text gives no such time. */
export const hintIn = (text: string): Millis | null => {
  const [, amount, unit] = HINT.exec(text) ?? [];
  const length = UNIT[unit?.toLowerCase() ?? ""];
  return amount === undefined || length === undefined ? null : clamped(Number(amount) * length);
};

/**
 * The header Retry-After: seconds, or a date. A date is measured against the reply's own Date header, the clock it
 * was written by; `now`, this machine's clock, is the last resort.
 */
export const retryAfter = (value: string | undefined, dateHeader: string | undefined, now: Instant): Millis | null => {
  if (value === undefined) return null;
  if (/^\s*\d{1,9}(?:\.\d+)?\s*$/.test(value)) return clamped(Number(value) * seconds(1));
  const until = httpDate(value);
  return until === null ? null : clamped(until - (httpDate(dateHeader ?? "") ?? now));
};
