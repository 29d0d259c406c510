import { describe, expect, it } from "@jest/globals";
import { instant, type Clock, type MonotonicMillis } from "../../src/domain/time.ts";
import { reapingWith } from "../../src/gate/reaping.ts";

const aReaper = () => {
  let now = 0;
  const clock: Clock = { now: () => instant(0), monotonic: () => now as MonotonicMillis };
  const redis = { isFull: false, reaped: 0, left: 0 };
  const reaping = reapingWith(async (atMost) => {
    if (redis.isFull) throw new Error("OOM command not allowed");
    redis.reaped += Math.min(atMost, redis.left);
    redis.left -= Math.min(atMost, redis.left);
    return { more: redis.left > 0 };
  }, clock);
  return { redis, reaping, later: (ms: number) => void (now += ms) };
};

describe("the reaper lets live workers speak first", () => {
  it("for five seconds after its process began, and then takes all that is overdue", async () => {
    const { redis, reaping, later } = aReaper();
    redis.left = 250;
    await reaping.run();
    later(4_999);
    await reaping.run();
    expect(redis.reaped).toBe(0);
    later(1);
    await reaping.run();
    expect(redis.reaped).toBe(250);
  });

  it("and for five seconds after Redis did not answer", async () => {
    const { redis, reaping, later } = aReaper();
    await reaping.run();
    later(60_000);
    reaping.trouble();
    redis.left = 1;
    await reaping.run();
    expect(redis.reaped).toBe(0);
    later(5_000);
    await reaping.run();
    expect(redis.reaped).toBe(1);
  });

  it("and for five seconds after a full Redis took its writes again, however long it was full", async () => {
    const { redis, reaping, later } = aReaper();
    await reaping.run();
    later(5_000);
    redis.left = 1;
    redis.isFull = true;
    for (let n = 0; n < 10; n++) {
      await expect(reaping.run()).rejects.toThrow("OOM");
      later(10_000);
    }
    redis.isFull = false;
    await reaping.run();
    expect(redis.reaped).toBe(0);
    later(5_000);
    await reaping.run();
    expect(redis.reaped).toBe(1);
  });
});
