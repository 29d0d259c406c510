/**
 * BullMQ alone: no limits at all, so everything that Sluice is for is missing. What a queue costs.
 *
 * As docs.bullmq.io advises: `addBulk` for many jobs (guide/queues/adding-bulks), a handful of completed jobs
 * kept (guide/queues/auto-removal-of-jobs), `concurrency` for work that waits for the network
 * (guide/workers/concurrency), `maxRetriesPerRequest: null` for workers, one connection shared by queues and workers
 * (guide/connections). No attempts and no backoff, which would cost it a little more.
 */
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { REQUEST_OF, REQUESTS_AT_ONCE, type Contender } from "../contender.ts";
import { newLedger } from "../ledger.ts";
import { inParallel } from "../in-parallel.ts";
import { contentOf, requestsOf } from "../messages.ts";
import { takeIn } from "../provider.ts";

interface Mail {
  readonly account: number;
  readonly n: number;
  readonly content: ReturnType<typeof contentOf>;
}

/** "A good practice", says the page on auto-removal; keeping none, or all, measured the same. */
export const KEPT = { removeOnComplete: 1_000, removeOnFail: 5_000 };

export const bareBullMq: Contender = {
  name: "bare BullMQ",
  run: async (redis, { messages, accounts, concurrency, latency }) => {
    const connection = new Redis({ path: redis.socket, maxRetriesPerRequest: null });
    const queue = new Queue<Mail>("mail", { connection, defaultJobOptions: KEPT });
    const ledger = newLedger(messages);
    const take = takeIn(ledger, latency);
    const worker = new Worker<Mail>("mail", async ({ data }) => take(data.account, data.n), {
      connection,
      concurrency,
    });
    try {
      await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
      let done = 0;
      const allDone = new Promise<void>((resolve, reject) => {
        worker.on("completed", () => {
          done += 1;
          if (done === messages) resolve();
        });
        worker.on("failed", (_, error) => reject(error));
      });
      const startedAt = performance.now();
      await inParallel(requestsOf(messages, accounts, REQUEST_OF), REQUESTS_AT_ONCE, ({ account, numbers }) =>
        queue.addBulk(numbers.map((n) => ({ name: "mail", data: { account, n, content: contentOf(n) } }))),
      );
      await ledger.reached(messages, 120_000);
      await allDone;
      const tookMs = performance.now() - startedAt;
      ledger.judge(messages, messages);
      return tookMs;
    } finally {
      await worker.close();
      await queue.close();
      connection.disconnect();
    }
  },
};
