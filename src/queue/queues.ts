/**
 * BullMQ's producer side: one queue per channel, and the jobs that release makes. Nothing is added here that the gate
 * did not let go.
 */
import { Queue, type JobState } from "bullmq";
import type { Redis } from "ioredis";
import { CHANNELS, type Channel } from "../domain/channel.ts";
import type { Keys } from "../redis/keys.ts";
import type { ReleasedJob } from "../redis/scripts/release.ts";

/** What a job carries: which messages, and the number of the release of each. The bodies come with begin. */
export interface JobData {
  readonly messages: readonly (readonly [id: string, release: number])[];
}

export interface Queues {
  add(channel: Channel, jobs: readonly ReleasedJob[]): Promise<void>;
  /** Null when BullMQ no longer knows the job. */
  stateOf(channel: Channel, job: string): Promise<JobState | null>;
  /** The name of the worker that fetched it last; null when none has. */
  holderOf(channel: Channel, job: string): Promise<string | null>;
  counts(channel: Channel): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

/** Ended jobs are kept for the eyes of BullMQ's own tools only: the messages live in our records. */
const KEPT_JOBS = { count: 1_000, age: 86_400 };

/** @param redis a patient connection (`maxRetriesPerRequest: null`); the caller closes it */
export const queuesOn = (redis: Redis, keys: Keys): Queues => {
  const queues = new Map<Channel, Queue<JobData>>(
    CHANNELS.map((channel) => [
      channel,
      new Queue<JobData>(channel, {
        connection: redis,
        prefix: keys.bullPrefix,
        skipVersionCheck: true,
        defaultJobOptions: { removeOnComplete: KEPT_JOBS, removeOnFail: KEPT_JOBS, attempts: 1 },
      }),
    ]),
  );
  const queueOf = (channel: Channel): Queue<JobData> => {
    const queue = queues.get(channel);
    if (!queue) throw new RangeError(`no queue ${channel}`);
    return queue;
  };
  for (const queue of queues.values()) queue.on("error", () => {}); // the connection itself says so, once
  return {
    add: async (channel, jobs) => {
      if (jobs.length === 0) return;
      await queueOf(channel).addBulk(
        jobs.map(({ job, messages }) => ({ name: channel, data: { messages }, opts: { jobId: job } })),
      );
    },
    stateOf: async (channel, job) => {
      const state = await queueOf(channel).getJobState(job);
      return state === "unknown" ? null : state;
    },
    holderOf: async (channel, job) => (await queueOf(channel).getJob(job))?.processedBy ?? null,
    counts: (channel) => queueOf(channel).getJobCounts("waiting", "active", "completed", "failed"),
    close: async () => {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
    },
  };
};
