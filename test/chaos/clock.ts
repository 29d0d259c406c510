/** The run's clock: it goes as real time does, and jumps when told to. Redis's scripts read it from the key it keeps. */
import type { Redis } from "ioredis";
import { setTimeout as wait } from "node:timers/promises";
import type { Keys } from "../../src/redis/keys.ts";

const STEP_MS = 40;
/** A worker is dead after 6 s without a beat: those that live must live on over a jump. */
const BEATEN_WITHIN_MS = 6_000;

export const runClock = (redis: Redis, keys: Keys, startsAt: number) => {
  let now = startsAt;
  let moving: Promise<unknown> | null = null;
  let running = false;
  let going: Promise<void> = Promise.resolve();

  const move = async (to: number, commands: (redis: Redis) => Promise<unknown>): Promise<void> => {
    while (moving) await moving;
    now = to;
    moving = commands(redis);
    try {
      await moving;
    } finally {
      moving = null;
    }
  };
  const set = (to: number): Promise<void> => move(to, () => redis.set(keys.testClock, to));

  const go = async (): Promise<void> => {
    for (let last = performance.now(); running;) {
      await wait(STEP_MS);
      if (!running) return;
      const real = performance.now();
      await set(now + Math.round(real - last));
      last = real;
    }
  };

  return {
    now: () => now,
    /**
     * For an arrival: an instant that is not before any begin that led to it, and not after the settle that will follow.
     * Hence it waits for a move that is on its way to Redis.
     */
    stamp: async (): Promise<number> => {
      while (moving) await moving;
      return now;
    },
    start: async (): Promise<void> => {
      await set(now);
      running = true;
      going = go();
    },
    /** Nothing is on its way to Redis when this resolves: before a kill of Redis, so that arrivals need not wait. */
    pause: async (): Promise<void> => {
      running = false;
      await going;
    },
    jump: async (to: number): Promise<void> => {
      const members = await redis.zrangebyscore(keys.workers, now - BEATEN_WITHIN_MS, "+inf");
      await move(to, (server) => {
        const all = server.multi().set(keys.testClock, to);
        for (const member of members) all.zadd(keys.workers, to, member);
        return all.publish(keys.nudge, "*").exec();
      });
    },
  };
};

export type RunClock = ReturnType<typeof runClock>;
