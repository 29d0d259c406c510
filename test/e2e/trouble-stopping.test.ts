/** SIGTERM to workers while Redis, or the way to it, is in trouble, and right after: none hangs, and nothing is lost. */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { isLong, note } from "../support/measuring.ts";
import { lasting, NAMES, TROUBLES, troubledRedis, type Trouble } from "../support/redis-troubles.ts";
import { expectEachOnce, traffic, type Traffic } from "../support/traffic.ts";
import { until } from "../support/until.ts";
import { startWorkerProcess, type WorkerProcess } from "../support/worker-processes.ts";
import { aWorld, type World } from "../support/world.ts";

/** What a stop may take in all (src/start/lifecycle.ts). */
const DRAINED_MS = 25_000;

/** Those in which stopping has gone wrong, or would: connections that break in mid-stop, and servers that do not answer. */
const SHORT = new Set<string>([
  "CLIENT KILL of everybody",
  "kill -9 and a start",
  "freeze",
  "a replica in the master's place",
  "every connection cut",
]);
const TRIED = NAMES.filter((name) => isLong || SHORT.has(name));

describe("a worker that is told to stop", () => {
  let troubled: Awaited<ReturnType<typeof troubledRedis>>;
  let world: World;
  let running: Traffic;
  const workers: WorkerProcess[] = [];

  beforeAll(async () => {
    troubled = await troubledRedis();
    world = await aWorld({ redis: troubled.redis, workers: 0 });
    running = traffic(world);
  });
  afterAll(async () => {
    troubled.server.signal("SIGCONT");
    await running.end();
    await Promise.all(workers.map((worker) => worker.end("SIGKILL")));
    await world.stop();
    await troubled.close();
  }, 60_000);

  const stopped = async (worker: WorkerProcess) => {
    const askedAt = performance.now();
    const code = await worker.end("SIGTERM");
    return { code, tookMs: Math.round(performance.now() - askedAt) };
  };

  it.each(TRIED)("in %s, and after it, drains in time and exits with 0", async (name) => {
    const { begin, lastsMs, end }: Trouble = TROUBLES[name];
    const [within, after] = await Promise.all([startWorkerProcess(world), startWorkerProcess(world)]);
    workers.push(within, after);
    const before = world.ledger.length;
    await until(() => world.ledger.length > before + 20, { what: "traffic" });
    const beginning = begin(troubled);
    const first = stopped(within);
    await beginning;
    if (lastsMs > 0) await lasting(Math.min(lastsMs, 4_000));
    await end?.(troubled);
    const second = await stopped(after);
    const both = [await first, second];
    note("drained", { trouble: name, within: both[0], after: both[1] });
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(Math.max(...both.map(({ tookMs }) => tookMs))).toBeLessThan(DRAINED_MS);
  });

  it("has lost nothing by then, and sent nothing twice", async () => {
    await running.end();
    workers.push(await startWorkerProcess(world));
    // What was released to a reply that nobody heard is found once it has been so for three seconds.
    await world.advanceTo(world.now() + 3_100);
    await world.quiet();
    await world.advanceTo(world.now() + 60_000);
    await world.quiet();
    expectEachOnce(world, running);
  });
});
