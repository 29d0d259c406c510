/** How the BullMQ side of a process ends: what is in flight is finished, what has not begun is given back. */
import type { Worker } from "bullmq";
import { CHANNELS } from "../src/domain/channel.ts";
import { milliseconds, seconds, type Millis } from "../src/domain/time.ts";
import { giveBackUnserved } from "../src/gate/unserved.ts";
import type { ScriptRunner } from "../src/redis/script.ts";
import { sleep } from "./sleep.ts";

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

/**
 * What lies in BullMQ and nobody is left to take: back into its lane, so that it holds no quota, and order, priority and
 * changed limits act on it. Its job finds it gone (`stale`) when a worker comes. On a channel that others serve, it is theirs.
 */
export const giveBackUntaken = async (scripts: ScriptRunner): Promise<number> => {
  const counts = await Promise.all(CHANNELS.map((channel) => giveBackUnserved(scripts, channel)));
  return counts.reduce((sum, count) => sum + count, 0);
};
