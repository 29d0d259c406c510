/** How a run's clock is moved from hour to hour without doing what no real clock does. */
import { setTimeout as wait } from "node:timers/promises";
import { ZONES } from "./accounts.ts";
import { nextBoundary } from "./calendar.ts";
import type { Stage } from "./stage.ts";

/**
 * Past the 2 s within which a worker calls its provider or does not. With nothing at the providers, what is still
 * `sending` then is a dead worker's.
 */
const UNCHANGED_MS = 2_200;
const PROVIDER_IDLE_MS = 300;
/** A stalled attempt is given up after 20 s, and a second for its adapter to say so. */
const STALL_MS = 22_000;
/** After Redis is back, workers have come back to it and settled what they held. */
const RECONNECT_MS = 5_000;
const QUIET_MS = 300;
const LOOK_MS = 50;

export const timeOf = ({ redis, keys, clock, depths, providers, realNow }: Stage) => {
  let redisKilledAt = -Infinity;

  /**
   * Waits until a jump makes nobody late who is alive: what is being sent by a live worker would be taken for a dead one's.
   */
  const safe = async (): Promise<void> => {
    let before = "";
    for (let since = realNow(); ; await wait(LOOK_MS)) {
      const now = realNow();
      const sending = (await redis.zrange(`${keys.cell}sending`, "0", "-1")).join(" ");
      if (sending !== before) since = now;
      before = sending;
      if (sending === "") return;
      if (
        now - since > UNCHANGED_MS &&
        now - providers.lastBusyAt() > PROVIDER_IDLE_MS &&
        now - providers.lastStallAt() > STALL_MS &&
        now - redisKilledAt > RECONNECT_MS
      )
        return;
    }
  };

  /** Nothing may go that has not gone; what dead workers hold stays as it is. */
  const quiet = async (patience: number): Promise<boolean> => {
    let before = "";
    for (let [startedAt, since] = [realNow(), realNow()]; realNow() - startedAt < patience; await wait(LOOK_MS)) {
      const { ready, released, sending } = await depths();
      const seen = ready === 0 ? `${released} ${sending}` : "busy";
      if (seen !== before) since = realNow();
      before = seen;
      if (seen !== "busy" && realNow() - since >= QUIET_MS) return true;
    }
    return false;
  };

  return {
    quiet,
    stillQuiet: async (): Promise<boolean> => (await depths()).ready === 0,
    redisKilled: (): void => {
      redisKilledAt = realNow();
    },
    /** To `before` ms ahead of the next hour's beginning anywhere. @returns that hour's beginning */
    nearBoundary: async (before: number): Promise<number> => {
      await safe();
      const boundary = nextBoundary(ZONES, clock.now());
      if (boundary - before > clock.now()) await clock.jump(boundary - before);
      return boundary;
    },
    jumpBy: async (length: number): Promise<void> => {
      await safe();
      await clock.jump(clock.now() + length);
    },
    passed: async (at: number): Promise<void> => {
      while (clock.now() < at) await wait(LOOK_MS);
    },
  };
};

export type RunTime = ReturnType<typeof timeOf>;
