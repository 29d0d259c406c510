/**
 * Calendars in small, for histories: an hour is about twenty minutes, five make a day and fifteen a month, all unequal now
 * and then, as summer time makes them. A minute is a minute. Two releases of the tz data, which differ for some zones.
 */
import { instant } from "../../../src/domain/time.ts";
import type { WindowKind } from "../../../src/domain/quota.ts";
import { T0 } from "../../support/gate-stage.ts";

export type Chance = () => number;

/** Mulberry32: the same numbers for the same seed. */
export const chanceOf = (seed: number): Chance => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
};

const MINUTE = 60_000;
const SHORT_HOUR = 20 * MINUTE;
/** How far a zone's row reaches: a few hours, so that histories see rows run out. */
const AHEAD = 100 * MINUTE;
export const CALENDAR_ENDS = 8_000 * MINUTE;
export const TZ_RELEASES = ["t1", "t2"] as const;
export type TzRelease = (typeof TZ_RELEASES)[number];

type Boundaries = Readonly<Record<Exclude<WindowKind, "minute">, readonly number[]>>;
export type Span = readonly [start: number, end: number];

export const spanIn = (list: readonly number[], at: number): Span | null => {
  const next = list.findIndex((boundary) => boundary > at);
  return next > 0 ? [list[next - 1] as number, list[next] as number] : null;
};

export const minuteOf = (at: number): Span => [at - (at % MINUTE), at - (at % MINUTE) + MINUTE];

const boundaries = (chance: Chance): Boundaries => {
  const [hour, day, month]: [number[], number[], number[]] = [[], [], []];
  let at = T0 - 400 * MINUTE - Math.floor(chance() * 20) * MINUTE;
  for (let n = Math.floor(chance() * 15); at < T0 + CALENDAR_ENDS + 600 * MINUTE; n++) {
    hour.push(at);
    if (n % 5 === 0) day.push(at);
    if (n % 15 === 0) month.push(at);
    const odd = chance();
    at += SHORT_HOUR * (odd < 0.05 ? 2 : odd < 0.1 ? 0.5 : odd < 0.12 ? 1.5 : 1);
  }
  return { hour, day, month };
};

export const ZONES = ["Z0", "Z1", "Z2", "Z3"] as const;

export const calendarOf = (chance: Chance) => {
  const zones = new Map<string, Record<TzRelease, Boundaries>>(
    ZONES.map((zone) => {
      const first = boundaries(chance);
      return [zone, { t1: first, t2: chance() < 0.5 ? first : boundaries(chance) }];
    }),
  );
  const known = (zone: string, tz: TzRelease): Boundaries => zones.get(zone)?.[tz] as Boundaries;
  return {
    window: (zone: string, tz: TzRelease, kind: WindowKind, at: number): Span =>
      (kind === "minute" ? minuteOf(at) : spanIn(known(zone, tz)[kind], at)) as Span,
    differs: (zone: string) => known(zone, "t1") !== known(zone, "t2"),
    /** What Node writes for the scripts at this instant. */
    row: (zone: string, tz: TzRelease, at: number): string => {
      const from = (kind: "hour" | "day" | "month", enough: (last: number, count: number) => boolean): string => {
        const list = known(zone, tz)[kind];
        const first = list.findIndex((boundary) => boundary > at) - 1;
        let last = first + 1;
        while (!enough(list[last] as number, last - first)) last++;
        return list
          .slice(first, last + 1)
          .map(instant)
          .join(" ");
      };
      const far = (last: number): boolean => last > at + AHEAD;
      return `${tz};h ${from("hour", far)};d ${from("day", far)};m ${from("month", (_, count) => count >= 3)}`;
    },
  };
};

export type Calendar = ReturnType<typeof calendarOf>;
