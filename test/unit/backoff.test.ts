import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { backoff, notBefore } from "../../src/domain/backoff.ts";
import { hours, milliseconds, minutes, seconds } from "../../src/domain/time.ts";

const policy = { base: seconds(10), cap: minutes(30) };

describe("backing off", () => {
  it("doubles the span with each failure until the cap", () => {
    const latest = [0, 1, 2, 3, 8, 5_000].map((failures) => backoff(policy, failures, () => 1 - 2 ** -53));
    expect(latest.map((delay) => Math.ceil(delay / 10) * 10)).toEqual([
      10_000, 20_000, 40_000, 80_000, 1_800_000, 1_800_000,
    ]);
  });

  it("may come back after a second however often it failed, and spreads evenly in between", () => {
    expect([0, 4, 5_000].map((failures) => backoff(policy, failures, () => 0))).toEqual([1_000, 1_000, 1_000]);
    expect(backoff(policy, 1, () => 0.5)).toBe(10_500);
  });

  it("never waits longer than the cap, less than a second where the span allows one, or a part of a millisecond", () => {
    const length = fc.integer({ min: 1, max: 86_400_000 }).map(milliseconds);
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(length, length, fc.nat({ max: 2_000 }), chance, (base, cap, failures, random) => {
        const delay = backoff({ base, cap }, failures, () => random);
        expect(Number.isSafeInteger(delay)).toBe(true);
        expect(delay).toBeLessThanOrEqual(cap);
        expect(delay).toBeLessThanOrEqual(base * 2 ** failures);
        expect(delay).toBeGreaterThanOrEqual(Math.min(1_000, cap, base));
      }),
    );
  });

  it("never comes before the provider's Retry-After, which is believed up to an hour", () => {
    expect(notBefore(seconds(5), seconds(60))).toBe(60_000);
    expect(notBefore(seconds(90), seconds(60))).toBe(90_000);
    expect(notBefore(seconds(5), hours(24))).toBe(3_600_000);
    expect(notBefore(hours(2), hours(24))).toBe(7_200_000);
    expect(notBefore(seconds(5), undefined)).toBe(5_000);
    expect(notBefore(seconds(5), seconds(-60))).toBe(5_000);
    expect(notBefore(seconds(5), milliseconds(Number.NaN))).toBe(5_000);
    expect(notBefore(seconds(5), milliseconds(Infinity))).toBe(3_600_000);
    fc.assert(
      fc.property(fc.nat(), fc.integer({ max: 3_600_000 }), (delay, retryIn) => {
        const waited = notBefore(milliseconds(delay), milliseconds(retryIn));
        expect(waited).toBe(Math.max(delay, retryIn));
      }),
    );
  });
});
