import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { hours, instant, type Instant } from "../../src/domain/time.ts";
import { allTimeZones, tzRelease } from "../../src/domain/time-zone.ts";
import { windowOf } from "../../src/domain/window.ts";
import { zoneRow, zoneRowKnownUntil, zoneRowRelease } from "../../src/domain/zone-row.ts";

const at = (text: string): Instant => instant(Date.parse(text));

/** Read as a script would: four parts, a letter, numbers. */
const read = (row: string) => {
  const [release, ...lists] = row.split(";");
  const numbers = lists.map((list) => list.slice(2).split(" ").map(Number));
  return {
    release,
    letters: lists.map((list) => list.slice(0, 2)),
    hour: numbers[0]!,
    day: numbers[1]!,
    month: numbers[2]!,
  };
};

describe("a zone row", () => {
  it("is the text that the scripts read", () => {
    const row = zoneRow("Asia/Kathmandu", at("2026-03-10T18:14:59.999Z"));
    const { release, letters, hour, day, month } = read(row);
    expect(row).toMatch(/^[^; ]+;h \d+( \d+)+;d \d+( \d+)+;m \d+( \d+)+$/);
    expect({ release, letters }).toEqual({ release: tzRelease(), letters: ["h ", "d ", "m "] });
    expect(hour.slice(0, 2)).toEqual([at("2026-03-10T17:15:00Z"), at("2026-03-10T18:15:00Z")]);
    expect(day).toEqual([9, 10, 11, 12].map((date) => at(`2026-03-${String(date).padStart(2, "0")}T18:15:00Z`)));
    expect(month).toEqual(["02-28", "03-31", "04-30", "05-31"].map((date) => at(`2026-${date}T18:15:00Z`)));
    expect(row.length).toBeLessThan(1_000);
  });

  it("knows its release and how far it reaches", () => {
    const row = "2026a;h 1 2 50;d 1 40 60;m 1 70 80 90";
    expect(zoneRowRelease(row)).toBe("2026a");
    expect(zoneRowKnownUntil(row)).toBe(50);
    expect(zoneRowKnownUntil("2026a;h 1 2 70;d 1 40 60;m 1 70 80 90")).toBe(60);
  });

  it("leads from window to window without a gap, more than 48 hours and three months ahead, in every zone", () => {
    const around = fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2027, 0) });
    const moments = fc.sample(around, { numRuns: 2, seed: 7 }).map(instant);
    for (const zone of allTimeZones()) {
      for (const now of moments) {
        const row = zoneRow(zone, now);
        const lists = read(row);
        for (const kind of ["hour", "day", "month"] as const) {
          const list = lists[kind];
          expect(list[0]).toBe(windowOf(kind, now, zone).startsAt);
          const ends = list.slice(0, -1).map((boundary) => windowOf(kind, instant(boundary), zone).endsAt);
          expect({ zone, kind, boundaries: list.slice(1) }).toEqual({ zone, kind, boundaries: ends });
        }
        expect(zoneRowKnownUntil(row)).toBeGreaterThan(now + hours(48));
        expect(lists.month.length).toBeGreaterThanOrEqual(4);
      }
    }
  });
});
