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
const QUIET_MS = 300;
const LOOK_MS = 50;

export const timeOf = ({ redis, keys, clock, depths, providers, realNow }: Stage) => {
  let calmFrom = -Infinity;
  /** Since when each message was seen to be `sending`: by id and the time it has. */
  const seenAt = new Map<string, number>();
  const lookAtSending = async (): Promise<void> => {
    const flat = await redis.zrange(`${keys.cell}sending`, "0", "-1", "WITHSCORES");
    const there = new Set(flat.flatMap((id, at) => (at % 2 === 0 ? [`${id} ${flat[at + 1]}`] : [])));
    for (const each of seenAt.keys()) if (!there.has(each)) seenAt.delete(each);
    for (const each of there) seenAt.set(each, seenAt.get(each) ?? realNow());
  };

  /**
   * Waits until a jump makes nobody late who is alive: what is being sent by a live worker would be taken for a dead one's.
   */
  const safe = async (): Promise<void> => {
    for (; ; await wait(LOOK_MS)) {
      await lookAtSending();
      const now = realNow();
      const youngest = Math.max(-Infinity, ...seenAt.values());
      const isHeld =
        now - youngest > UNCHANGED_MS &&
        now - providers.lastBusyAt() > PROVIDER_IDLE_MS &&
        now - providers.lastStallAt() > STALL_MS &&
        now > calmFrom;
      if (seenAt.size === 0 || isHeld) return;
    }
  };

  /** Nothing may go that has not gone, and nobody is kept from it; what dead workers hold stays as it is. */
  const quiet = async (patience: number): Promise<boolean> => {
    let before = "";
    for (let [startedAt, since] = [realNow(), realNow()]; realNow() - startedAt < patience; await wait(LOOK_MS)) {
      await lookAtSending();
      const { ready, released, sending } = await depths();
      const seen = ready === 0 && realNow() > calmFrom ? `${released} ${sending}` : "busy";
      if (seen !== before) since = realNow();
      before = seen;
      if (seen !== "busy" && realNow() - since >= QUIET_MS) return true;
    }
    return false;
  };

  return {
    quiet,
    stillQuiet: async (): Promise<boolean> => (await depths()).ready === 0,
    /** For so long, somebody who lives may be kept from settling what he holds. */
    disturbed: (ms: number): void => {
      calmFrom = Math.max(calmFrom, realNow() + ms);
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
