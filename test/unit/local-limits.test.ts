import { describe, expect, it } from "@jest/globals";
import { milliseconds, minutes, systemClock, type Clock, type MonotonicMillis } from "../../src/domain/time.ts";
import { localLimiter } from "../../src/ratelimit/local-limiter.ts";
import type { AppliedRule } from "../../src/ratelimit/rules-for.ts";

const aClock = (): Clock & { by(ms: number): void } => {
  let now = 1_000;
  return { now: systemClock.now, monotonic: () => now as MonotonicMillis, by: (ms) => void (now += ms) };
};

const rule = (name: string, limit: number | null, more: Partial<AppliedRule> = {}): AppliedRule => ({
  rule: name,
  name,
  shadow: false,
  whenRedisIsAway: "open",
  windows: [{ kind: "rolling", length: minutes(1), limit }],
  ...more,
});
const closed = (name: string, limit: number) => rule(name, limit, { whenRedisIsAway: "closed" });

describe("a limit of one process", () => {
  it("is all or nothing over its rules, and says when to come back", () => {
    const clock = aClock();
    const limiter = localLimiter(clock);
    const [a, b] = [rule("a", 2), rule("b", 5)];
    expect(limiter.take([a, b])).toMatchObject({ admitted: true, retryIn: 0 });
    clock.by(10_000);
    expect(limiter.take([a, b])).toMatchObject({ admitted: true });
    expect(limiter.take([a, b])).toMatchObject({ admitted: false, retryIn: 50_000 });
    expect(limiter.look([b]).buckets).toMatchObject([[{ used: 2, isFull: false }]]);
    clock.by(49_999);
    expect(limiter.take([a, b]).admitted).toBe(false);
    clock.by(1);
    expect(limiter.take([a, b]).admitted).toBe(true);
  });

  it("refuses nobody for a rule in shadow or without a limit, and charges no one for a look", () => {
    const limiter = localLimiter(aClock());
    const shadow = rule("s", 1, { shadow: true });
    for (let n = 0; n < 5; n++) {
      expect(limiter.take([shadow, rule("none", null)]).admitted).toBe(true);
      expect(limiter.look([rule("looked", 1)]).admitted).toBe(true);
    }
  });

  it("is a fifth, and at least one, where it fails closed", () => {
    const limiter = localLimiter(aClock());
    const passed = (one: AppliedRule) =>
      Array.from({ length: 30 }, () => limiter.take([one]).admitted).filter(Boolean).length;
    expect([passed(closed("a", 5)), passed(closed("b", 2)), passed(closed("c", 100)), passed(rule("d", 20))]).toEqual([
      1, 1, 20, 20,
    ]);
  });

  it("tells what remains of that part, and not of the whole: who was let in last is not told of four more", () => {
    const limiter = localLimiter(aClock());
    const used = (one: AppliedRule) => limiter.take([one]).buckets[0]?.[0]?.used;
    expect([used(closed("a", 5)), used(closed("c", 100)), used(rule("d", 20))]).toEqual([5, 81, 1]);
    expect(limiter.look([closed("untouched", 5)]).buckets).toMatchObject([[{ used: 0 }]]);
  });

  it("remembers so many callers and no more: who fails open is forgotten first come, who fails closed waits", () => {
    const clock = aClock();
    const limiter = localLimiter(clock, 3);
    const doors = ["a", "b", "c", "d"].map((name) => limiter.take([closed(name, 5)]));
    expect(doors.map(({ admitted }) => admitted)).toEqual([true, true, true, false]);
    expect(doors[3]?.retryIn).toBe(milliseconds(60_000));
    expect(limiter.take([closed("a", 5)]).admitted).toBe(false);
    for (const name of ["w", "x", "y", "z"]) expect(limiter.take([rule(name, 1)]).admitted).toBe(true);
    expect(limiter.take([rule("z", 1)]).admitted).toBe(false);
    expect(limiter.take([rule("w", 1)]).admitted).toBe(true);
    clock.by(60_000);
    expect(limiter.take([closed("d", 5)]).admitted).toBe(true);
  });
});
