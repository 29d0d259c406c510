/** How fast a channel or a sender may dispatch, as people write it: `14/s`, `90/min`, `0.5/s`, `off`. */
import type { Millis } from "./time.ts";

export const RATE_EXPECTED = "a rate up to 10000/s, such as 14/s, 90/min or 200/h, or off";

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, min: 60_000, h: 3_600_000 };
/** More than any provider takes from one customer; who wants more wants no rate. */
const MOST_PER_SECOND = 10_000;

/** The least time between two starts (a fraction of a millisecond counts: 14/s is one in 71.43 ms); null for `off`. */
export const parseRate = (text: string): Millis | null | undefined => {
  if (text === "off") return null;
  const [, count, unit] = /^([0-9]{1,7}(?:\.[0-9]{1,3})?)\/(s|m|min|h)$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) return undefined;
  const interval = (UNITS[unit] ?? 0) / Number(count);
  // Less than one an hour is a quota, not a rate.
  return interval >= 1_000 / MOST_PER_SECOND && interval <= 3_600_000 ? (interval as Millis) : undefined;
};

/** The same in words: `off`, or the shortest of per second, minute and hour that is at least one. */
export const formatRate = (interval: Millis | null): string => {
  if (interval === null) return "off";
  const [unit, length] = interval <= 1_000 ? ["s", 1_000] : interval <= 60_000 ? ["min", 60_000] : ["h", 3_600_000];
  return `${Number((length / interval).toFixed(3))}/${unit}`;
};
