/**
 * The minute, hour, day and month of an instant in a time zone.
 *
 * An hour runs from one instant at which the wall clock reads HH:00:00.000 to the next; a day from the earliest
 * instant of a local date to the earliest instant of a later one, so that a day never reopens; a month likewise.
 * Hence a wall clock set back over midnight (Havana, the Azores, St John's) mints no second day, a midnight that is
 * skipped (Beirut, Cairo, Santiago) opens its day at 01:00, and a date that is skipped (Apia) has no day at all.
 * Luxon's startOf, endOf and plus answer otherwise in each of these cases, so only its offsets are used.
 */
import { stretchAt } from "./offset.ts";
import type { WindowKind } from "./quota.ts";
import { instant, type Instant } from "./time.ts";

/** [startsAt, endsAt). */
export interface Window {
  readonly startsAt: Instant;
  readonly endsAt: Instant;
}

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

/** No zone is further from UTC than this (the furthest today are −12 h and +14 h). */
const FURTHEST_OFFSET = 16 * HOUR;

const sinceFull = (wall: number, unit: number): number => ((wall % unit) + unit) % unit;

/** Every zone's offset is a whole number of minutes (since 1972), so one minute serves them all. */
export const minuteOf = (at: Instant): Window => {
  const startsAt = at - sinceFull(at, MINUTE);
  return { startsAt: instant(startsAt), endsAt: instant(startsAt + MINUTE) };
};

const lastFullHour = (at: number, zone: string): number => {
  for (;;) {
    const { from, offset } = stretchAt(at, zone);
    const full = at - sinceFull(at + offset, HOUR);
    if (full >= from) return full;
    at = from - 1;
  }
};

const nextFullHour = (at: number, zone: string): number => {
  for (let after = at + 1; ;) {
    const { until, offset } = stretchAt(after, zone);
    const full = after + sinceFull(-(after + offset), HOUR);
    if (full < until) return full;
    after = until;
  }
};

export const hourOf = (at: Instant, zone: string): Window => ({
  startsAt: instant(lastFullHour(at, zone)),
  endsAt: instant(nextFullHour(at, zone)),
});

/** The latest that the wall clock has ever read up to `at` (as if UTC): it may have been set back since. */
const furthestWall = (at: number, zone: string): number => {
  let furthest = -Infinity;
  // What was read before this is behind, whatever the offsets were.
  for (let from = at - 2 * FURTHEST_OFFSET; from <= at;) {
    const { until, offset } = stretchAt(from, zone);
    furthest = Math.max(furthest, Math.min(at, until - 1) + offset);
    from = until;
  }
  return furthest;
};

/** The earliest instant at which the wall clock reads `wall` or later. */
const firstReaching = (wall: number, zone: string): Instant => {
  for (let from = wall - FURTHEST_OFFSET; ;) {
    const { until, offset } = stretchAt(from, zone);
    const reached = Math.max(from, wall - offset);
    if (reached < until) return instant(reached);
    from = until;
  }
};

export const dayOf = (at: Instant, zone: string): Window => {
  const wall = furthestWall(at, zone);
  const midnight = wall - sinceFull(wall, DAY);
  return { startsAt: firstReaching(midnight, zone), endsAt: firstReaching(midnight + DAY, zone) };
};

export const monthOf = (at: Instant, zone: string): Window => {
  const wall = new Date(furthestWall(at, zone));
  const first = (monthsLater: number): Instant =>
    firstReaching(Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth() + monthsLater, 1), zone);
  return { startsAt: first(0), endsAt: first(1) };
};

const WINDOW_OF: { readonly [kind in WindowKind]: (at: Instant, zone: string) => Window } = {
  minute: minuteOf,
  hour: hourOf,
  day: dayOf,
  month: monthOf,
};

export const windowOf = (kind: WindowKind, at: Instant, zone: string): Window => WINDOW_OF[kind](at, zone);
