import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { againIn } from "../../src/client/patience.ts";
import { milliseconds, seconds } from "../../src/domain/time.ts";

const dice = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const failures = fc.nat(30);
const asked = fc.nat(86_400_000).map(milliseconds);

describe("before a request is made again", () => {
  it("for a limit: as long as was asked and up to a second more, however often it was refused", () => {
    fc.assert(
      fc.property(asked, failures, dice, (retryIn, failed, random) => {
        const wait = againIn({ kind: "answer", status: 429, code: "", retryIn }, failed, () => random) ?? -1;
        expect(wait).toBeGreaterThanOrEqual(retryIn);
        expect(wait).toBeLessThan(retryIn + 1_000);
      }),
    );
  });

  it("for trouble: a second at least, thirty at most, and never sooner than was asked", () => {
    const trouble = fc.constantFrom(408, 425, 500, 502, 503, 504, 429, 0);
    fc.assert(
      fc.property(trouble, fc.option(asked, { nil: undefined }), failures, dice, (status, retryIn, failed, random) => {
        const how = { kind: "answer", status, code: "", retryIn: status === 429 ? undefined : retryIn } as const;
        const wait = againIn(status === 0 ? { kind: "lost" } : how, failed, () => random) ?? -1;
        const least = status === 0 ? 0 : (how.retryIn ?? 0);
        expect(wait).toBeGreaterThanOrEqual(Math.max(seconds(1), least));
        expect(wait).toBeLessThanOrEqual(Math.max(seconds(30), least + 1_000));
      }),
    );
  });

  it("grows: two seconds, four, eight, at the most", () => {
    const most = [0, 1, 2, 3, 4, 5].map((failed) => againIn({ kind: "lost" }, failed, () => 1));
    expect(most).toEqual([2, 4, 8, 16, 30, 30].map((n) => n * 1_000));
  });

  it("it is not, where it would be refused again", () => {
    for (const status of [200, 301, 400, 401, 403, 404, 409, 413, 422, 501])
      expect(againIn({ kind: "answer", status, code: "already_final", retryIn: seconds(1) }, 0, () => 0)).toBeNull();
    const running = { kind: "answer", status: 409, code: "idempotency_running" } as const;
    expect(againIn(running, 0, () => 0)).toBe(seconds(1));
  });
});
