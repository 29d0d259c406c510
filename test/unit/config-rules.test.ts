import { describe, expect, it } from "@jest/globals";
import { anything, assert, constantFrom, integer, property } from "fast-check";
import { formatDuration, parseDuration } from "../../config/duration.ts";
import { parseAccount, parseAccountPatch } from "../../src/domain/account-rules.ts";
import { nearest } from "../../src/domain/nearest.ts";
import { overPlan, parseQuota } from "../../src/domain/quota-rules.ts";
import { LARGEST_QUOTA } from "../../src/domain/quota.ts";
import { formatRate, parseRate } from "../../src/domain/rate.ts";
import type { Millis } from "../../src/domain/time.ts";

describe("a quota", () => {
  it("is whole, from 0 to the largest that means anything, or null; a kind that is absent stays absent", () => {
    expect(parseQuota({ hour: 0, day: null, month: LARGEST_QUOTA }, "")).toEqual({
      quota: { hour: 0, day: null, month: LARGEST_QUOTA },
    });
    expect(parseQuota({}, "")).toEqual({ quota: {} });
  });

  it("names the field as the caller wrote it", () => {
    expect(parseQuota({ hour: -1 }, "quotas.sms")).toEqual({
      errors: [{ field: "quotas.sms.hour", expected: "a whole number from 0 to 2592000000000 or null", got: "-1" }],
    });
    expect(parseQuota({ hour: "5", weeks: 1 }, "")).toMatchObject({ errors: [{ field: "weeks" }, { field: "hour" }] });
    expect(parseQuota(5, "")).toMatchObject({ errors: [{ field: "body", got: "5" }] });
  });

  it("is nothing else, whatever is thrown at it: never an exception, never a limit that is not a number", () => {
    assert(
      property(anything(), (hour) => {
        const parsed = parseQuota({ hour }, "");
        if ("errors" in parsed) return parsed.errors.length === 1;
        const limit = parsed.quota.hour;
        return (
          limit === undefined || limit === null || (Number.isInteger(limit) && limit >= 0 && limit <= LARGEST_QUOTA)
        );
      }),
    );
  });

  it("of an account goes before its plan's, window by window; null lifts the plan's", () => {
    const own = { email: { hour: 5, day: null }, all: { month: 9 } };
    const plan = { email: { hour: 100, day: 1000, month: 5000 }, sms: { hour: 7 } };
    expect(overPlan(own, plan)).toEqual({
      email: { hour: 5, day: null, month: 5000 },
      sms: { hour: 7 },
      all: { month: 9 },
    });
  });
});

describe("an account", () => {
  it("is refused with all that is wrong with it at once", () => {
    expect(parseAccount({ timezone: "PST", plan: "gold", qotas: {} }, "", ["free"])).toEqual({
      errors: [
        { field: "qotas", expected: "no such field (did you mean quotas?)", got: '"qotas"' },
        { field: "timezone", expected: 'an IANA time zone such as "Asia/Kolkata"', got: '"PST"' },
        { field: "plan", expected: "one of free", got: '"gold"' },
        { field: "name", expected: "a name of 1 to 100 characters on one line", got: "nothing" },
      ],
    });
  });

  it.each(["\ud800", "a\0b", "\u2028", " a", "a".repeat(101), "\u001b[2J"])("is not called %j", (name) => {
    expect(parseAccount({ name, timezone: "UTC" }, "", [])).toMatchObject({ errors: [{ field: "name" }] });
  });

  it.each(["Śluza", "株式会社", "O'Brien & Sons <x>", "👩‍👩‍👧"])("may be called %s", (name) => {
    expect(parseAccount({ name, timezone: "UTC" }, "", [])).toEqual({ account: { name, timezone: "UTC" } });
  });

  it("is changed in what a patch names, and null goes back to none", () => {
    expect(parseAccountPatch({ plan: null, weight: null }, "", ["free"])).toEqual({
      patch: { plan: null, weight: null },
    });
    expect(parseAccountPatch({}, "", [])).toEqual({ patch: {} });
    expect(parseAccountPatch({ name: null }, "", [])).toMatchObject({ errors: [{ field: "name", got: "null" }] });
  });
});

describe("a rate", () => {
  it.each([
    ["14/s", 1000 / 14],
    ["90/min", 60_000 / 90],
    ["1/h", 3_600_000],
    ["0.5/s", 2000],
    ["off", null],
  ])("of %s is one in %s ms", (text, interval) => {
    expect(parseRate(text)).toBe(interval);
  });

  it.each(["", "0/s", "1/d", "1 / s", "1e3/s", "-1/s", "+1/s", "10001/s", "Infinity/s", "1/s/s", "٣/s", "0.5/h"])(
    "is not %j",
    (text) => {
      expect(parseRate(text)).toBeUndefined();
    },
  );

  it("reads as it was written, in the unit that makes it one or more", () => {
    for (const text of ["14/s", "90/min", "30/min", "1/s", "10000/s", "5/h", "off"])
      expect(formatRate(parseRate(text) ?? null)).toBe(text === "90/min" ? "1.5/s" : text);
  });

  it("is told in a longer unit where it would be another rate in the shorter", () => {
    for (const text of ["200/h", "100/min", "100/h", "0.7/min"])
      expect(formatRate(parseRate(text) ?? null)).toBe(text === "0.7/min" ? "42/h" : text);
  });

  it("that was told and is set again is the same rate", () => {
    assert(
      property(integer({ min: 1, max: 9_999_999 }), constantFrom("s", "min", "h"), (thousandths, unit) => {
        const interval = parseRate(`${thousandths / 1_000}/${unit}`);
        if (interval === undefined || interval === null) return;
        expect((parseRate(formatRate(interval)) ?? 0) / interval).toBeCloseTo(1, 8);
      }),
    );
  });
});

describe("a length of time", () => {
  it("reads as it was written", () => {
    for (const text of ["7d", "36h", "90m", "30s"]) expect(formatDuration(parseDuration(text) as Millis)).toBe(text);
    expect(formatDuration(parseDuration("48h") as Millis)).toBe("2d");
  });
});

describe("what was meant", () => {
  it("is the nearest name, unless none is near", () => {
    const names = ["SLUICE_RATES", "SLUICE_RETENTION", "SLUICE_CELL"];
    expect(nearest("SLUICE_RATE", names)).toBe("SLUICE_RATES");
    expect(nearest("sluice_retentoin", names)).toBe("SLUICE_RETENTION");
    expect(nearest("hello", names)).toBeUndefined();
    expect(nearest("S".repeat(1_000_000), names)).toBeUndefined();
  });
});
