/** Workers replaced one after another while messages go: what every deployment does. */
import { afterEach, describe, expect, it } from "@jest/globals";
import { isLong, note } from "../support/measuring.ts";
import { ownRedis } from "../support/own-redis.ts";
import { expectEachOnce, traffic } from "../support/traffic.ts";
import { until } from "../support/until.ts";
import { startWorkerProcess, type WorkerProcess } from "../support/worker-processes.ts";
import { aWorld } from "../support/world.ts";

const TIMES = isLong ? 20 : 4;
const DRAINED_MS = 30_000;
/** How long the provider takes for each message: long enough that some are always on their way. */
const TAKES_MS = 200;

describe("workers that are replaced under load", () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  it(
    `lose nothing and send nothing twice: ${TIMES} times SIGTERM, three workers`,
    async () => {
      const redis = await ownRedis();
      closing.push(redis.close);
      const world = await aWorld({ redis, workers: 0 });
      closing.push(world.stop);
      let atProvider = 0;
      world.provider.beforeArrival = async () => {
        atProvider++;
        await new Promise((resolve) => setTimeout(resolve, TAKES_MS));
        atProvider--;
      };
      const all: WorkerProcess[] = [];
      closing.push(() => Promise.all(all.map((worker) => worker.end("SIGKILL"))));
      const start = async (): Promise<WorkerProcess> => {
        const worker = await startWorkerProcess(world);
        all.push(worker);
        return worker;
      };
      const fleet = await Promise.all([start(), start(), start()]);
      const running = traffic(world);

      const ends: { code: number | null; drainedInMs: number; atProvider: number }[] = [];
      for (let n = 0; n < TIMES; n++) {
        const before = world.ledger.length;
        await until(() => world.ledger.length > before + 50 && atProvider > 0, { what: "messages on their way" });
        const askedAt = performance.now();
        const then = atProvider;
        const code = await fleet[n % fleet.length]!.end("SIGTERM");
        ends.push({ code, drainedInMs: Math.round(performance.now() - askedAt), atProvider: then });
        fleet[n % fleet.length] = await start();
      }
      await running.end();
      await world.quiet();
      // Nothing that anybody holds is left: what would be found after a while would be late.
      const accepted = running.accepted.length;
      note("rolling", { times: TIMES, accepted, arrivals: world.ledger.length, ends });
      expect(ends.map(({ code }) => code)).toEqual(ends.map(() => 0));
      expect(Math.max(...ends.map(({ drainedInMs }) => drainedInMs))).toBeLessThan(DRAINED_MS);
      expect(running.refused).toEqual([]);
      expectEachOnce(world, running);
      expect(accepted).toBeGreaterThan(50 * TIMES);
    },
    60_000 + TIMES * 30_000,
  );
});
