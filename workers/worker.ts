/** The BullMQ side of a worker process: one BullMQ worker per channel that has a provider. */
import { UnrecoverableError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Channel } from "../src/domain/channel.ts";
import type { JobData } from "../src/queue/queues.ts";
import type { Keys } from "../src/redis/keys.ts";
import type { Dispatch } from "./dispatch.ts";

/**
 * A job of a dead worker is taken up again within lockDuration + 2 × stalledInterval = 25 s. `maxStalledCount` is high
 * because BullMQ would fail the job for good after two dead workers, whatever its attempts: our record decides, and a job
 * that comes again is told `taken`.
 */
const LOCK = { lockDuration: 15_000, stalledInterval: 5_000, maxStalledCount: 1_000 };
/** Before BullMQ asks again when Redis refused it (it is full, or read-only for a while): its own 15 s is how long all
 *  stands still after the trouble is over. */
const ASK_AGAIN = { runRetryDelay: 2_000 };

export const startWorker = (
  connection: Redis,
  keys: Keys,
  channel: Channel,
  concurrency: number,
  dispatch: Dispatch,
  log: Logger,
): Worker<JobData> => {
  const worker = new Worker<JobData>(
    channel,
    async (job) => {
      const failures = await dispatch(
        channel,
        job.data.messages.map(([id, release]) => ({ id, release })),
      );
      // So that the ordinary BullMQ tools show it; the message lives on in its record.
      if (failures.length > 0) throw new UnrecoverableError(failures.slice(0, 3).join("; "));
    },
    { connection, prefix: keys.bullPrefix, concurrency, skipVersionCheck: true, ...LOCK, ...ASK_AGAIN },
  );
  worker.on("error", (error) => log.debug({ event: "bullmq_error", channel, err: error }, "BullMQ worker"));
  return worker;
};
