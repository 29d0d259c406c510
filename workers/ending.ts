/** How the BullMQ side of a process ends: what is in flight is finished, what has not begun is given back. */
import type { Worker } from "bullmq";
import { CHANNELS, type Channel } from "../src/domain/channel.ts";
import { milliseconds, seconds, type Millis } from "../src/domain/time.ts";
import type { ScriptRunner } from "../src/redis/script.ts";
import { liveWorkers } from "../src/redis/scripts/live-workers.ts";
import { stuck, type Stuck } from "../src/redis/scripts/stuck.ts";
import { unrelease } from "../src/redis/scripts/unrelease.ts";
import { sleep } from "./sleep.ts";

/**
 * As is released for some 160 hands: six messages for each where they go in parcels (rule 10). What is beyond it stays where
 * it is, and is taken by the next worker.
 */
const PAGE = 1_000;
const AT_A_TIME = 200;

/** Of waiting for BullMQ alone: longer than its goodbye takes to be answered. */
const IDLE_FOR = seconds(3);
const LOOK = milliseconds(100);

/** True once nothing has been in flight for so long; false when it was called off. */
const idle = async (inFlight: () => number, length: Millis, calledOff?: AbortSignal): Promise<boolean> => {
  for (let still = 0; ; still = inFlight() === 0 ? still + LOOK : 0) {
    if (inFlight() === 0 && still >= length) return true;
    if (!(await sleep(LOOK, calledOff))) return false;
  }
};

/**
 * Resolves when nothing is in flight any more; whoever waits for that has a deadline.
 * @param isAway Redis is away: BullMQ would wait for its goodbye to be answered, for the whole time that a stop may take.
 * With nothing in flight there is nothing to finish; and where a blocked connection broke at this very moment, BullMQ waits
 * for it for ever, or takes its own failure to wait for the end, with jobs in its hands: so its word is not enough.
 */
export const closeWorkers = async (
  workers: readonly Worker[],
  isAway: boolean,
  inFlight: () => number,
): Promise<void> => {
  const closed = new AbortController();
  const closing = Promise.all(workers.map((worker) => worker.close(isAway && inFlight() === 0)));
  await Promise.race([closing, idle(inFlight, IDLE_FOR, closed.signal)]).finally(() => closed.abort());
  await idle(inFlight, milliseconds(0));
};

const giveBackOn = async (scripts: ScriptRunner, channel: Channel): Promise<number> => {
  const messages: Stuck[] = [...(await stuck(scripts, channel, milliseconds(0), PAGE))];
  let given = 0;
  // The last first: each page goes to the head of its lanes.
  while (messages.length > 0) {
    const last = messages.splice(-AT_A_TIME).map(({ id, release }) => ({ id, release, token: "" }));
    const back = await unrelease(scripts, last);
    given += back.filter(Boolean).length;
  }
  return given;
};

/**
 * What lies in BullMQ and nobody is left to take: back into its lane, so that it holds no quota, and order, priority and
 * changed limits act on it. Its job finds it gone (`stale`) when a worker comes. Where others live, it is theirs.
 */
export const giveBackUntaken = async (scripts: ScriptRunner): Promise<number> => {
  if ((await liveWorkers(scripts)).length > 0) return 0;
  const counts = await Promise.all(CHANNELS.map((channel) => giveBackOn(scripts, channel)));
  return counts.reduce((sum, count) => sum + count, 0);
};
