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

export interface Held {
  readonly job: string;
}

export interface WorkerParts {
  readonly connection: Redis;
  readonly keys: Keys;
  readonly channel: Channel;
  readonly concurrency: number;
  readonly dispatch: Dispatch;
  /** The process, by the name under which it beats: BullMQ notes it in each job that is fetched, for the sweeper. */
  readonly name: string;
  /** The jobs in its hands, kept by the worker: one is there twice if it is run again before it has ended. */
  readonly held: Set<Held>;
  readonly log: Logger;
}

export const startWorker = (parts: WorkerParts): Worker<JobData> => {
  const { connection, keys, channel, concurrency, dispatch, name, held, log } = parts;
  const work = async (messages: JobData["messages"]): Promise<void> => {
    const failures = await dispatch(
      channel,
      messages.map(([id, release]) => ({ id, release })),
    );
    // So that the ordinary BullMQ tools show it; the message lives on in its record.
    if (failures.length > 0) throw new UnrecoverableError(failures.slice(0, 3).join("; "));
  };
  const worker = new Worker<JobData>(
    channel,
    async ({ id = "", data }) => {
      const one = { job: id };
      held.add(one);
      await work(data.messages).finally(() => held.delete(one));
    },
    { connection, name, prefix: keys.bullPrefix, concurrency, skipVersionCheck: true, ...LOCK, ...ASK_AGAIN },
  );
  worker.on("error", (error) => log.debug({ event: "bullmq_error", channel, err: error }, "BullMQ worker"));
  return worker;
};
