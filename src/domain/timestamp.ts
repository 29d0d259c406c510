/** Times as callers write and read them: RFC 3339, always with an offset. */
import { offsetAt } from "./offset.ts";
import { instant, type Instant } from "./time.ts";

const MINUTE = 60_000;

/** 1970–2100 in UTC. Further away a typing error is likelier than a plan, and zone rules are guesses. */
const EARLIEST = Date.UTC(1970, 0);
const AFTER_LATEST = Date.UTC(2101, 0);

/** Longer than any timestamp with nanoseconds; checked before the pattern. */
const LONGEST = 64;
const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d+))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/** In ms since the epoch, of whatever year. */
const read = (text: string): number | null => {
  if (text.length > LONGEST) return null;
  const parts = RFC_3339.exec(text);
  if (!parts) return null;
  const [, year, month, day, hour, minute, second, fraction = "", sign, offsetHours = "0", offsetMinutes = "0"] = parts;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  // Date.UTC rolls 30 February over into March (and takes the years 0–99 for 1900–1999): then it reads otherwise.
  if (!date.toISOString().startsWith(`${year}-${month}-${day}T`)) return null;
  const time = (Number(hour) * 60 + Number(minute)) * MINUTE + Number(second) * 1_000;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * MINUTE;
  return date.getTime() + time + Number(fraction.padEnd(3, "0").slice(0, 3)) - (sign === "-" ? -offset : offset);
};

const isWithinReach = (at: number): boolean => at >= EARLIEST && at < AFTER_LATEST;

/**
 * Strict: a full date and time, `T`, seconds, `Z` or ±hh:mm. A time without an offset, 30 February and the leap second
 * :60 (which no instant stands for) are null. Fractions are cut to milliseconds.
 */
export const parseTimestamp = (text: string): Instant | null => {
  const at = read(text);
  return at !== null && isWithinReach(at) ? instant(at) : null;
};

/** Well written, and refused for its year: 9999 is how some write "never". */
export const isOutOfReach = (text: string): boolean => {
  const at = read(text);
  return at !== null && !isWithinReach(at);
};

/** 2026-03-01T04:30:00.000Z */
export const formatUtc = (at: Instant): string => new Date(at).toISOString();

const two = (value: number): string => String(value).padStart(2, "0");

/** +05:30, by minutes: there are some forty in the world, and one stands in every answer. */
const offsets = new Map<number, string>();

const offsetText = (minutes: number): string => {
  const known = offsets.get(minutes);
  if (known !== undefined) return known;
  const ahead = Math.abs(minutes);
  const text = `${minutes < 0 ? "-" : "+"}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`;
  offsets.set(minutes, text);
  return text;
};

/** Messages that are accepted together were made, and often are to go, in one millisecond: the last text that was made. */
let last = { at: Number.NaN, zone: "", text: "" };

/** 2026-03-01T10:00:00+05:30; with three more digits when there are milliseconds. */
export const formatIn = (at: Instant, zone: string): string => {
  if (at === last.at && zone === last.zone) return last.text;
  // RFC 3339 writes offsets in minutes. Liberia's had 30 s until 1972: rounding it keeps the instant right.
  const offsetMinutes = Math.round(offsetAt(at, zone) / MINUTE);
  const utc = new Date(at + offsetMinutes * MINUTE).toISOString();
  const text = utc.slice(0, utc.endsWith(".000Z") ? -5 : -1) + offsetText(offsetMinutes);
  last = { at, zone, text };
  return text;
};
