/**
 * What a user of BullMQ writes today for quotas of each tenant: rate-limiter-flexible is asked in the processor, and a job
 * that may not go is put back with `moveToDelayed` until its window ends.
 *
 * As docs.bullmq.io advises (patterns/process-step-jobs, "Delaying": `moveToDelayed(…, token)`, then `DelayedError`), on a
 * queue as in bare.ts; and the wiki of rate-limiter-flexible ("Redis", "RateLimiterUnion"): one `RateLimiterRedis` per
 * window, keyed by tenant, on a client with `enableOfflineQueue: false`; `rejectIfRedisNotReady`. The in-memory block of
 * keys that are used up (`inMemoryBlockOnConsumed`) is on, since it spares Redis their questions.
 *
 * What it does not do, and Sluice does: windows of the tenant's calendar, refunds of what did not go, order, fairness.
 */
import { DelayedError, Queue, Worker, type Job } from "bullmq";
import { Redis } from "ioredis";
import { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { REQUEST_OF, REQUESTS_AT_ONCE, type Contender } from "../contender.ts";
import { newLedger, type Ledger } from "../ledger.ts";
import { inParallel } from "../in-parallel.ts";
import { contentOf, requestsOf, type Request } from "../messages.ts";
import { takeIn, type Latency } from "../provider.ts";
import { KEPT } from "./bare.ts";
import { systemClock } from "../../src/domain/time.ts";
import type { BenchRedis } from "../redis.ts";

interface Mail {
  readonly account: number;
  readonly n: number;
  readonly content: ReturnType<typeof contentOf>;
}

/** Consumes one of each window; answers how long to wait when one of them has none left. */
const quotasOn = (storeClient: Redis, perHour: number, perDay: number) => {
  const limiter = (keyPrefix: string, points: number, duration: number): RateLimiterRedis =>
    new RateLimiterRedis({
      storeClient,
      keyPrefix,
      points,
      duration,
      rejectIfRedisNotReady: true,
      inMemoryBlockOnConsumed: points,
    });
  const windows = [limiter("hour", perHour, 3_600), limiter("day", perDay, 86_400)];
  return async (tenant: number): Promise<number> => {
    const answers = await Promise.allSettled(windows.map((window) => window.consume(tenant)));
    let waitMs = 0;
    for (const answer of answers) {
      if (answer.status === "fulfilled") continue;
      if (!(answer.reason instanceof RateLimiterRes)) throw answer.reason;
      waitMs = Math.max(waitMs, answer.reason.msBeforeNext);
    }
    return waitMs;
  };
};

export interface QuotaOptions {
  readonly redis: BenchRedis;
  readonly ledger: Ledger;
  readonly latency: Latency;
  readonly concurrency: number;
  /** Of an account, in an hour and in a day. */
  readonly limit: (account: number) => number;
}

/** The same, for whoever wants to hand in jobs as they like. */
export const quotasInTheProcessor = async ({ redis, ledger, latency, concurrency, limit }: QuotaOptions) => {
  const connection = new Redis({ path: redis.socket, maxRetriesPerRequest: null });
  const store = new Redis({ path: redis.socket, enableOfflineQueue: false });
  await new Promise((resolve) => void store.once("ready", resolve));
  const queue = new Queue<Mail>("mail", { connection, defaultJobOptions: KEPT });
  const take = takeIn(ledger, latency);
  // A limiter has one number of points: a map by number, for accounts that differ.
  const byLimit = new Map<number, ReturnType<typeof quotasOn>>();
  const consume = (account: number): Promise<number> => {
    const points = limit(account);
    const known = byLimit.get(points) ?? quotasOn(store, points, points);
    byLimit.set(points, known);
    return known(account);
  };
  let done = 0;
  let wake = (): void => {};
  const process = async (job: Job<Mail>, token?: string): Promise<void> => {
    const waitMs = await consume(job.data.account);
    if (waitMs > 0) {
      await job.moveToDelayed(systemClock.now() + waitMs, token);
      throw new DelayedError();
    }
    await take(job.data.account, job.data.n);
  };
  const worker = new Worker<Mail>("mail", process, { connection, concurrency });
  worker.on("completed", () => {
    done += 1;
    wake();
  });
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
  return {
    queue,
    add: ({ account, numbers }: Request) =>
      queue.addBulk(numbers.map((n) => ({ name: "mail", data: { account, n, content: contentOf(n) } }))),
    completed: (count: number) =>
      new Promise<void>((resolve) => {
        wake = () => {
          if (done >= count) resolve();
        };
        wake();
      }),
    close: async () => {
      await worker.close();
      await queue.close();
      connection.disconnect();
      store.disconnect();
    },
  };
};

export const bullMqWithQuotas: Contender = {
  name: "BullMQ + rate-limiter-flexible",
  run: async (redis, { messages, accounts, concurrency, latency }) => {
    const ledger = newLedger(messages);
    const limit = Math.ceil(messages / accounts / REQUEST_OF) * REQUEST_OF;
    const peer = await quotasInTheProcessor({ redis, ledger, latency, concurrency, limit: () => limit });
    try {
      const startedAt = performance.now();
      await inParallel(requestsOf(messages, accounts, REQUEST_OF), REQUESTS_AT_ONCE, peer.add);
      await ledger.reached(messages, 120_000);
      await peer.completed(messages);
      const tookMs = performance.now() - startedAt;
      ledger.judge(messages, limit);
      return tookMs;
    } finally {
      await peer.close();
    }
  },
};
