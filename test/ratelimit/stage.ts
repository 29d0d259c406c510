/** Limits on a cell of the test server, with time moved by hand. */
import { afterAll, beforeAll } from "@jest/globals";
import type { Redis } from "ioredis";
import { systemClock, type Millis } from "../../src/domain/time.ts";
import { limiterOn, type Limiter, type LimiterOptions } from "../../src/ratelimit/limiter.ts";
import { keysOf, type Cell, type Keys } from "../../src/redis/keys.ts";
import { scriptRunner, type ScriptRunner } from "../../src/redis/script.ts";
import { testRedis, type TestRedis } from "../support/redis.ts";

/** The start of an hour and of a day of UTC. */
export const MIDNIGHT = Date.UTC(2026, 2, 1);

export interface LimitStage {
  readonly redis: Redis;
  readonly cell: Cell;
  readonly keys: Keys;
  readonly scripts: ScriptRunner;
  /** On connections of their own, as other processes are. */
  readonly others: readonly ScriptRunner[];
  /** Sets the clock, back too: as a failover to a machine that is behind does. */
  at(ms: number): Promise<void>;
  by(ms: number): Promise<void>;
  now(): number;
  limiter(options: Omit<LimiterOptions, "scripts" | "clock">): Limiter;
}

/** Stages for a test file: a cell for each, all of it gone at the end. */
export const limitStages = (): ((at?: number) => Promise<LimitStage>) => {
  let server: TestRedis;
  let redis: Redis;
  let others: readonly Redis[];
  let stages = 0;
  beforeAll(async () => {
    server = await testRedis();
    redis = server.connect();
    others = [1, 2, 3, 4, 5].map(() => server.connect());
  });
  afterAll(() => server.close());
  return async (startAt = MIDNIGHT) => {
    // Begins with the file's own tag, so that it goes with the file's keys.
    const cell = `${server.cell}${stages++}:` as Cell;
    const keys = keysOf(cell);
    const scripts = scriptRunner(redis, cell, { testClock: true });
    let now = startAt;
    const at = async (ms: number): Promise<void> => {
      now = ms;
      await redis.set(keys.testClock, now);
    };
    await at(now);
    return {
      redis,
      cell,
      keys,
      scripts,
      others: others.map((other) => scriptRunner(other, cell, { testClock: true })),
      at,
      by: (ms) => at(now + ms),
      now: () => now,
      limiter: (options) => limiterOn({ scripts, clock: systemClock, patience: 20_000 as Millis, ...options }),
    };
  };
};
