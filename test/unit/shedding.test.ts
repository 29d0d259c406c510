import { describe, expect, it } from "@jest/globals";
import { instant, type Clock, type MonotonicMillis } from "../../src/domain/time.ts";
import { sheddingBy } from "../../src/gate/shedding.ts";
import type { Memory } from "../../src/redis/memory.ts";

const MB = 1_048_576;

const aGuard = (memory: Memory) => {
  const redis = { memory, asked: 0 };
  let now = 0;
  const clock: Clock = { now: () => instant(0), monotonic: () => now as MonotonicMillis };
  const shedding = sheddingBy(async () => {
    redis.asked++;
    return redis.memory;
  }, clock);
  return {
    redis,
    later: (ms: number) => void (now += ms),
    admit: async (messages = 1, bytes = 100) => {
      try {
        await shedding.admit(messages, bytes);
        return "admitted";
      } catch (error) {
        const { code, message } = error as { code?: string; message: string };
        return code ?? message;
      }
    },
  };
};

describe("producers are turned away before Redis is full", () => {
  it("from three quarters on, until there is room", async () => {
    const guard = aGuard({ used: 74 * MB, limit: 100 * MB });
    expect(await guard.admit()).toBe("admitted");
    guard.redis.memory = { used: 75 * MB, limit: 100 * MB };
    guard.later(1_000);
    expect(await guard.admit()).toBe("overloaded");
    guard.redis.memory = { used: 70 * MB, limit: 100 * MB };
    guard.later(1_000);
    expect(await guard.admit()).toBe("admitted");
  });

  it("asks Redis at most once a second, however many enqueue, and never unless somebody does", async () => {
    const guard = aGuard({ used: 0, limit: 100 * MB });
    guard.later(60_000);
    expect(guard.redis.asked).toBe(0);
    await Promise.all(Array.from({ length: 500 }, () => guard.admit()));
    guard.later(999);
    await guard.admit();
    expect(guard.redis.asked).toBe(1);
    guard.later(1);
    await guard.admit();
    expect(guard.redis.asked).toBe(2);
  });

  it("counts what it let in since it asked: a second is long enough for many bulks", async () => {
    const guard = aGuard({ used: 30 * MB, limit: 100 * MB });
    expect(await guard.admit(10, 20 * MB)).toBe("admitted");
    expect(await guard.admit(10, 20 * MB)).toBe("admitted");
    expect(await guard.admit(10, 20 * MB)).toBe("overloaded");
    expect(await guard.admit(10, 4 * MB)).toBe("admitted");
    guard.later(1_000);
    expect(await guard.admit(10, 20 * MB)).toBe("admitted");
  });

  it("counts what a small message takes beside its text", async () => {
    const guard = aGuard({ used: 60 * MB, limit: 100 * MB });
    expect(await guard.admit(10_000, 0)).toBe("admitted");
    expect(await guard.admit(10_000, 0)).toBe("overloaded");
  });

  it("never where no maxmemory is set: nobody can say how full it is", async () => {
    const guard = aGuard({ used: 1e12, limit: null });
    expect(await guard.admit(10_000, 1e9)).toBe("admitted");
  });

  it("not by guess: an answer that does not come is told as what it is, and asked for again", async () => {
    const clock: Clock = { now: () => instant(0), monotonic: () => performance.now() as MonotonicMillis };
    let isAway = true;
    const shedding = sheddingBy(async () => {
      if (isAway) throw new Error("Connection is closed.");
      return { used: 0, limit: null };
    }, clock);
    await expect(shedding.admit(1, 1)).rejects.toThrow("Connection is closed.");
    isAway = false;
    await shedding.admit(1, 1);
  });
});
