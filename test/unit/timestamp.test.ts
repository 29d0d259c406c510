import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { instant } from "../../src/domain/time.ts";
import { formatIn, formatUtc, isOutOfReach, parseTimestamp } from "../../src/domain/timestamp.ts";
import { allTimeZones } from "../../src/domain/time-zone.ts";

const anyInstant = fc.integer({ min: 0, max: Date.UTC(2101, 0) - 1 }).map(instant);

describe("timestamps", () => {
  it.each([
    ["2026-03-01T10:00:00+05:30", Date.UTC(2026, 2, 1, 4, 30)],
    ["2026-03-01T10:00:00-03:30", Date.UTC(2026, 2, 1, 13, 30)],
    ["2026-03-01T10:00:00Z", Date.UTC(2026, 2, 1, 10)],
    ["2026-03-01T10:00:00.5Z", Date.UTC(2026, 2, 1, 10, 0, 0, 500)],
    ["2026-03-01T10:00:00.123999999Z", Date.UTC(2026, 2, 1, 10, 0, 0, 123)],
    ["2026-03-01T00:00:00-00:00", Date.UTC(2026, 2, 1)],
    ["2028-02-29T23:59:59+14:00", Date.UTC(2028, 1, 29, 9, 59, 59)],
    ["1970-01-01T00:00:00Z", 0],
    ["2100-12-31T23:59:59.999Z", Date.UTC(2101, 0) - 1],
  ])("reads %s", (text, expected) => {
    expect(parseTimestamp(text)).toBe(expected);
  });

  it.each([
    "2026-03-01T10:00:00",
    "2026-03-01",
    "2026-03-01T10:00Z",
    "2026-03-01 10:00:00Z",
    "2026-03-01t10:00:00z",
    "2026-02-30T10:00:00Z",
    "2026-02-29T10:00:00Z",
    "2026-13-01T10:00:00Z",
    "2026-00-01T10:00:00Z",
    "2026-03-00T10:00:00Z",
    "2016-12-31T23:59:60Z",
    "2026-03-01T24:00:00Z",
    "2026-03-01T10:60:00Z",
    "2026-03-01T10:00:00+24:00",
    "2026-03-01T10:00:00+0530",
    "2026-03-01T10:00:00+05",
    "2026-03-01T10:00:00+05:60",
    "2026-03-01T10:00:00.Z",
    "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00+00:01",
    "2101-01-01T00:00:00Z",
    "0026-03-01T10:00:00Z",
    "+002026-03-01T10:00:00Z",
    "",
    "now",
    "1772359200000",
    "2026-03-01T10:00:00Z\n",
    " 2026-03-01T10:00:00Z",
    "２０２６-03-01T10:00:00Z",
    `2026-03-01T10:00:00.${"1".repeat(50)}Z`,
  ])("refuses %j", (text) => {
    expect(parseTimestamp(text)).toBeNull();
  });

  it.each([
    ["9999-12-31T23:59:59Z", true],
    ["2101-01-01T00:00:00Z", true],
    ["2100-12-31T23:59:59.999Z", false],
    ["1970-01-01T00:00:00+00:01", true],
    ["9999-12-31T23:59:59", false],
    ["9999-02-30T00:00:00Z", false],
  ])("%s is refused for its year: %s", (text, expected) => {
    expect(isOutOfReach(text)).toBe(expected);
  });

  it("come back as they went, in every zone", () => {
    fc.assert(
      fc.property(anyInstant, fc.constantFrom(...allTimeZones()), (at, zone) => {
        expect(parseTimestamp(formatUtc(at))).toBe(at);
        expect(parseTimestamp(formatIn(at, zone))).toBe(at);
      }),
      { numRuns: 1_500 },
    );
  });

  it("never throw for what is not one", () => {
    const nearly = fc.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/);
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), nearly), (text) => {
        const at = parseTimestamp(text);
        // What is taken names the same instant as the language's own parser says it does.
        if (at !== null) expect(at).toBe(Date.parse(text));
      }),
    );
  });

  it("are written with the zone's own offset, and milliseconds only where there are any", () => {
    const at = instant(Date.UTC(2026, 2, 1, 4, 30));
    expect(formatIn(at, "Asia/Kolkata")).toBe("2026-03-01T10:00:00+05:30");
    expect(formatIn(instant(at + 7), "Asia/Kolkata")).toBe("2026-03-01T10:00:00.007+05:30");
    expect(formatIn(at, "America/St_Johns")).toBe("2026-03-01T01:00:00-03:30");
    expect(formatIn(at, "UTC")).toBe("2026-03-01T04:30:00+00:00");
    expect(formatIn(instant(0), "Africa/Monrovia")).toMatch(/^1969-12-31T23:1[56]:00-00:4[45]$/);
    expect(formatUtc(at)).toBe("2026-03-01T04:30:00.000Z");
  });
});
