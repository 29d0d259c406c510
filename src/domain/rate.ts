/** How fast a channel or a sender may dispatch, as people write it: `14/s`, `90/min`, `0.5/s`, `off`. */
import type { Millis } from "./time.ts";

export const RATE_EXPECTED = "a rate from 1/h to 10000/s, such as 14/s, 90/min or 200/h, or off";

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

/** What rounding to three decimals may not change: the interval may have been divided, kept as text, and read again. */
const isSame = (a: number, b: number): boolean => Math.abs(a - b) <= b * 1e-9;

/**
 * The same in words: `off`, or per second, minute or hour: the shortest in which it is at least one and still the same rate.
 * 200/h is 3.333…/min: whoever wrote that back would have set another rate.
 */
export const formatRate = (interval: Millis | null): string => {
  if (interval === null) return "off";
  const told = (["s", "min", "h"] as const)
    .map((unit) => ({ unit, count: Number(((UNITS[unit] ?? 0) / interval).toFixed(3)) }))
    .filter(({ count, unit }) => count >= 1 || unit === "h");
  const { count, unit } = told.find((each) => isSame((UNITS[each.unit] ?? 0) / each.count, interval)) ?? told[0]!;
  return `${count}/${unit}`;
};
