import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { IANAZone } from "luxon";
import { instant, type Instant } from "../../src/domain/time.ts";
import { allTimeZones } from "../../src/domain/time-zone.ts";
import { dayOf, hourOf, minuteOf, monthOf, windowOf } from "../../src/domain/window.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const at = (text: string): Instant => instant(Date.parse(text));
const iso = (when: number): string => new Date(when).toISOString();

interface Vector {
  readonly zone: string;
  readonly instant: string;
  readonly note: string;
  readonly hour: { readonly start: string; readonly end: string };
  readonly day: { readonly start: string; readonly end: string };
}
const { vectors } = JSON.parse(readFileSync(new URL("../vectors/windows.json", import.meta.url), "utf8")) as {
  vectors: readonly Vector[];
};

const wallAt = (zone: IANAZone, when: number): number => when + Math.round(zone.offset(when) * 60_000);

/** Found without the code under test: a look every 20 days, then bisection. */
const transitionsOf = (name: string): number[] => {
  const zone = IANAZone.create(name);
  const found: number[] = [];
  const end = Date.UTC(2030, 0);
  for (let low = Date.UTC(2005, 0); low < end; low += 20 * DAY) {
    let [from, until] = [low, low + 20 * DAY];
    const offset = zone.offset(from);
    if (zone.offset(until) === offset) continue;
    while (until - from > 1) {
      const middle = Math.floor((from + until) / 2);
      if (zone.offset(middle) === offset) from = middle;
      else until = middle;
    }
    found.push(until);
  }
  return found;
};
const transitions = allTimeZones().flatMap((zone) => {
  const found = transitionsOf(zone);
  // A zone that never changes is looked at too, on an ordinary day.
  return (found.length > 0 ? found : [Date.UTC(2026, 5, 15, 12)]).map((when) => ({ zone, when }));
});

/** Dense where it hurts: on the change, a millisecond to either side, on quarter hours around it, anywhere near it. */
const nearby = fc.oneof(
  fc.constantFrom(-1, 0, 1),
  fc.integer({ min: -120, max: 120 }).map((quarters) => quarters * 15 * 60_000),
  fc.tuple(fc.integer({ min: -120, max: 120 }), fc.constantFrom(-1, 1)).map(([q, ms]) => q * 15 * 60_000 + ms),
  fc.integer({ min: -36 * HOUR, max: 36 * HOUR }),
);

const holds = (zone: string, when: Instant): void => {
  const context = `${zone} ${iso(when)}`;
  for (const kind of ["minute", "hour", "day", "month"] as const) {
    const { startsAt, endsAt } = windowOf(kind, when, zone);
    const ok =
      startsAt <= when &&
      when < endsAt &&
      windowOf(kind, startsAt, zone).endsAt === endsAt &&
      windowOf(kind, instant(endsAt - 1), zone).startsAt === startsAt &&
      windowOf(kind, endsAt, zone).startsAt === endsAt &&
      windowOf(kind, instant(startsAt - 1), zone).endsAt === startsAt;
    if (!ok) throw new Error(`${kind}s do not partition time at ${context}`);
  }
  const [hour, day, month] = [hourOf(when, zone), dayOf(when, zone), monthOf(when, zone)];
  if (hour.startsAt < day.startsAt || hour.endsAt > day.endsAt) throw new Error(`the hour leaves its day: ${context}`);
  if (day.startsAt < month.startsAt || day.endsAt > month.endsAt)
    throw new Error(`the day leaves its month: ${context}`);
  const length = hour.endsAt - hour.startsAt;
  if (length < HOUR / 2 || length > 2.5 * HOUR) throw new Error(`an hour of ${length} ms at ${context}`);
};

describe("windows", () => {
  it.each(vectors)("$zone at $instant: $note", ({ zone, instant: when, hour, day }) => {
    const [hourWindow, dayWindow] = [hourOf(at(when), zone), dayOf(at(when), zone)];
    expect({ start: iso(hourWindow.startsAt), end: iso(hourWindow.endsAt) }).toEqual({
      start: hour.start,
      end: hour.end,
    });
    expect({ start: iso(dayWindow.startsAt), end: iso(dayWindow.endsAt) }).toEqual({ start: day.start, end: day.end });
  });

  it("has all of the 41 vectors", () => {
    expect(vectors).toHaveLength(41);
  });

  it("know a summer time that lasted for a week", () => {
    const midnights = ["2000-10-07", "2000-10-09", "2000-10-12", "2000-10-16"].map((date) =>
      iso(dayOf(at(`${date}T15:00:00Z`), "America/Recife").startsAt),
    );
    expect(midnights).toEqual([
      "2000-10-07T03:00:00.000Z",
      "2000-10-09T02:00:00.000Z",
      "2000-10-12T02:00:00.000Z",
      "2000-10-16T03:00:00.000Z",
    ]);
  });

  it("partition time and nest, in every zone", () => {
    expect(transitions.length).toBeGreaterThan(5_000);
    // Every seventh change: both directions, all years, and at least one of each zone.
    const zones = new Set<string>();
    for (const [number, { zone, when }] of transitions.entries()) {
      if (number % 7 === 0 || !zones.has(zone)) holds(zone, instant(when));
      zones.add(zone);
    }
    expect(zones.size).toBe(allTimeZones().length);
  });

  it("partition time and nest, at any instant near a change of any zone", () => {
    fc.assert(
      fc.property(fc.constantFrom(...transitions), nearby, ({ zone, when }, delta) =>
        holds(zone, instant(when + delta)),
      ),
      { numRuns: 1_500 },
    );
  });

  it("are what reading the wall clock minute by minute says", () => {
    fc.assert(
      fc.property(fc.constantFrom(...transitions), nearby, ({ zone, when }, delta) => {
        const now = when + delta;
        const clock = IANAZone.create(zone);
        const fullHours: number[] = [];
        const dates: number[] = [];
        let furthestDate = -Infinity;
        const first = Math.floor((now - 60 * HOUR) / 60_000) * 60_000;
        for (let minute = first; minute <= now + 30 * HOUR; minute += 60_000) {
          const wall = wallAt(clock, minute);
          if (wall % HOUR === 0) fullHours.push(minute);
          const date = Math.floor(wall / DAY);
          if (date > furthestDate) dates.push(minute);
          furthestDate = Math.max(furthestDate, date);
        }
        const around = (boundaries: readonly number[]) => ({
          startsAt: boundaries.findLast((boundary) => boundary <= now),
          endsAt: boundaries.find((boundary) => boundary > now),
        });
        expect({ zone, now, ...hourOf(instant(now), zone) }).toEqual({ zone, now, ...around(fullHours) });
        expect({ zone, now, ...dayOf(instant(now), zone) }).toEqual({ zone, now, ...around(dates) });
      }),
      { numRuns: 50 },
    );
  });

  it("makes a minute the same sixty seconds in every zone", () => {
    expect(minuteOf(at("2026-03-10T18:14:59.999Z"))).toEqual({
      startsAt: at("2026-03-10T18:14:00Z"),
      endsAt: at("2026-03-10T18:15:00Z"),
    });
    expect(minuteOf(instant(-1))).toEqual({ startsAt: -60_000, endsAt: 0 });
  });

  it.each([
    ["Asia/Kathmandu", "2026-02-28T18:14:59.999Z", "2026-01-31T18:15:00Z", "2026-02-28T18:15:00Z"],
    ["Asia/Kathmandu", "2026-12-31T18:15:00Z", "2026-12-31T18:15:00Z", "2027-01-31T18:15:00Z"],
    ["America/Havana", "2026-11-01T05:30:00Z", "2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z"],
    ["Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-01T10:00:00Z", "2011-12-31T10:00:00Z"],
    ["UTC", "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"],
  ])("the month of %s at %s runs from %s to %s", (zone, when, startsAt, endsAt) => {
    expect(monthOf(at(when), zone)).toEqual({ startsAt: at(startsAt), endsAt: at(endsAt) });
  });

  it("refuses a zone or an instant that does not exist rather than inventing a window", () => {
    expect(() => dayOf(at("2026-01-01T00:00:00Z"), "Nowhere/City")).toThrow(RangeError);
    expect(() => hourOf(instant(Number.NaN), "UTC")).toThrow(RangeError);
    expect(() => dayOf(instant(1e20), "Asia/Kolkata")).toThrow(RangeError);
  });
});
