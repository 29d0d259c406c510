/**
 * Bottleneck, clustered on Redis: the other thing that people limit tenants with. Its queue is this process's memory: what
 * dies with it is lost, so this is less than any of the others does.
 *
 * As its README advises: "Clustering" (a `Group` whose limiters share one connection, `datastore: "ioredis"`, `timeout` so
 * that keys of tenants who are quiet expire), "Reservoir Intervals" for quotas by window, `chain` ("Batching and
 * chaining") for several limits at once, limiters of a group chained as they are `created`, and one last limiter with
 * `maxConcurrent`.
 */
import Bottleneck from "bottleneck";
import { Redis } from "ioredis";
import type { Contender } from "../contender.ts";
import { REQUEST_OF } from "../contender.ts";
import { newLedger } from "../ledger.ts";
import { contentOf, requestsOf } from "../messages.ts";
import { takeIn } from "../provider.ts";

const HOUR_MS = 3_600_000;

export const bottleneck: Contender = {
  name: "Bottleneck, clustered",
  run: async (redis, { messages, accounts, concurrency, latency }) => {
    const client = new Redis({ path: redis.socket });
    const connection = new Bottleneck.IORedisConnection({ client });
    const ledger = newLedger(messages);
    const take = takeIn(ledger, latency);
    const limit = Math.ceil(messages / accounts / REQUEST_OF) * REQUEST_OF;
    const quota = (id: string, interval: number): Bottleneck.Group =>
      new Bottleneck.Group({
        id,
        datastore: "ioredis",
        connection,
        timeout: 2 * interval,
        reservoir: limit,
        reservoirRefreshAmount: limit,
        reservoirRefreshInterval: interval,
      });
    const hands = new Bottleneck({ id: "hands", datastore: "ioredis", connection, maxConcurrent: concurrency });
    const [perHour, perDay] = [quota("hour", HOUR_MS), quota("day", 24 * HOUR_MS)];
    perDay.on("created", (limiter: Bottleneck) => limiter.chain(hands));
    perHour.on("created", (limiter: Bottleneck, key: string) => limiter.chain(perDay.key(key)));
    try {
      await hands.ready();
      const startedAt = performance.now();
      await Promise.all(
        requestsOf(messages, accounts, REQUEST_OF).flatMap(({ account, numbers }) =>
          numbers.map((n) => perHour.key(String(account)).schedule(async () => take(account, contentOf(n) && n))),
        ),
      );
      const tookMs = performance.now() - startedAt;
      ledger.judge(messages, limit);
      return tookMs;
    } finally {
      await Promise.all([perHour.disconnect(false), perDay.disconnect(false), hands.disconnect(false)]);
      await connection.disconnect(false);
      client.disconnect();
    }
  },
};
