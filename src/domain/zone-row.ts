/**
 * What Redis's scripts know of a zone. Lua knows no calendars, so a row of text holds the boundaries ahead:
 *
 *     2025c;h 1767225600000 1767229200000 …;d 1767225600000 …;m 1767225600000 …
 *
 * The release of the tz database, then hours, days and months; each list begins with the start of the window that
 * holds the `now` it was computed for. Minutes need no row: they are UTC's in every zone.
 */
import { hours, instant, type Instant } from "./time.ts";
import { tzRelease } from "./time-zone.ts";
import { windowOf } from "./window.ts";

/** Rows are refreshed with 24 h left, so 48 h survive a day on which nobody computes any. */
const KNOWN_AHEAD = hours(48);
/** Months ahead: more than a refresh can ever be late by, at the cost of 30 bytes. */
const MONTHS_AHEAD = 3;

const boundaries = (
  kind: "hour" | "day" | "month",
  zone: string,
  now: Instant,
  enough: (last: Instant, ahead: number) => boolean,
): string => {
  const first = windowOf(kind, now, zone);
  const list = [first.startsAt, first.endsAt];
  for (let last = first.endsAt; !enough(last, list.length - 1); list.push(last))
    last = windowOf(kind, last, zone).endsAt;
  return list.join(" ");
};

export const zoneRow = (zone: string, now: Instant): string => {
  const farEnough = (last: Instant): boolean => last > now + KNOWN_AHEAD;
  return [
    tzRelease(),
    `h ${boundaries("hour", zone, now, farEnough)}`,
    `d ${boundaries("day", zone, now, farEnough)}`,
    `m ${boundaries("month", zone, now, (_, ahead) => ahead >= MONTHS_AHEAD)}`,
  ].join(";");
};

/** The release of the tz database that the row was computed with. */
export const zoneRowRelease = (row: string): string => row.split(";", 1)[0] ?? "";

const lastOf = (list: string): number => Number(list.slice(list.lastIndexOf(" ") + 1));

/** Until when the row knows both the hour and the day: past it, the scripts skip the zone's accounts. */
export const zoneRowKnownUntil = (row: string): Instant => {
  const [, hourList = "", dayList = ""] = row.split(";");
  return instant(Math.min(lastOf(hourList), lastOf(dayList)));
};
