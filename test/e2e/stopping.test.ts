/** SIGTERM to worker processes with attempts in flight, and Redis away while they stop. */
import { afterEach, describe, expect, it } from "@jest/globals";
import { CHANNELS } from "../../src/domain/channel.ts";
import { ownRedis } from "../support/own-redis.ts";
import { endAll, portTo, run } from "../support/program-run.ts";
import { until } from "../support/until.ts";
import { startWorkerProcess, type WorkerProcess } from "../support/worker-processes.ts";
import { aWorld, type World } from "../support/world.ts";
import { readRow } from "../support/rows.ts";

const HANDS = 5;
const MESSAGES = 40;

describe("stopping a worker", () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    await endAll();
    for (const close of closing.splice(0).toReversed()) await close();
  });

  const sums = async (world: World) => {
    const rows = await Promise.all(
      CHANNELS.map((channel) => readRow(world.core.commands, world.core.keys.channelStats(channel))),
    );
    const of = (field: string): number => rows.reduce((sum, row) => sum + Number(row[field] ?? 0), 0);
    return { queued: of("queued"), released: of("released"), sending: of("sending") };
  };

  /** A worker whose five hands are all at a provider that does not answer before `open`. */
  const inFlight = async () => {
    const world = await aWorld({ workers: 0, quotas: { email: { hour: 1_000 } } });
    closing.push(world.stop);
    let open = (): void => {};
    const latch = new Promise<void>((resolve) => {
      open = resolve;
    });
    closing.push(async () => open());
    let arriving = 0;
    world.provider.beforeArrival = async () => {
      arriving++;
      await latch;
    };
    const started = async (): Promise<WorkerProcess> => {
      const worker = await startWorkerProcess(world, {
        env: { SLUICE_CONCURRENCY: `email=${HANDS}`, TEST_LOG: "debug" },
      });
      closing.push(() => worker.end("SIGKILL"));
      return worker;
    };
    const worker = await started();
    const messages = Array.from({ length: MESSAGES }, (_, n) => world.bodyFor.email(n));
    expect((await world.as("POST", "/v1/email/send/bulk", { messages })).status).toBe(202);
    await until(() => arriving === HANDS, { what: "all hands to be at the provider" });
    return { world, worker, started, open };
  };

  it("finishes what is in flight, gives back what has not begun, holds nothing, and exits with 0", async () => {
    const { world, worker, started, open } = await inFlight();
    await until(async () => (await sums(world)).released > 0, { what: "something released and not begun" });
    const ending = worker.end("SIGTERM");
    // The part before BullMQ's workers is closed: from now on nothing is begun.
    await until(() => worker.output().includes('"part":"beat"'), { what: "the worker to be stopping" });
    // Still at the provider, and nothing is cut off: the answers come only now.
    expect((await sums(world)).sending).toBe(HANDS);
    open();
    expect(await ending).toBe(0);
    expect(world.ledger).toHaveLength(HANDS);
    expect(await sums(world)).toEqual({ queued: MESSAGES - HANDS, released: 0, sending: 0 });
    const { hour } = (await world.as("GET", "/v1/quotas")).body.email;
    expect(hour).toMatchObject({ used: HANDS, held: 0 });

    await started();
    await world.quiet();
    const ids = world.ledger.map((entry) => entry.message_id);
    expect([ids.length, new Set(ids).size]).toEqual([MESSAGES, MESSAGES]);
    // What was given back kept its place.
    const order = world.ledger.slice(HANDS).map((entry) => Number(entry.subject?.slice("Message ".length)));
    expect(order[0]).toBeLessThan(3 * HANDS);
  });

  it("ends at once with 1 on a second SIGTERM that is meant, and what was in flight is found again", async () => {
    const { world, worker, started, open } = await inFlight();
    worker.child.kill("SIGTERM");
    const told = performance.now();
    // An echo within 200 ms is the same signal; this one is said until it is heard.
    const ended = worker.end("SIGTERM");
    const insisting = setInterval(() => worker.child.kill("SIGTERM"), 50);
    expect(await ended).toBe(1);
    clearInterval(insisting);
    expect(performance.now() - told).toBeLessThan(5_000);
    open();
    expect((await sums(world)).sending).toBe(HANDS);

    await started();
    // Past what an attempt may take, and past the pause before what may have been sent goes again.
    for (let minute = 1; minute <= 2; minute++) {
      await world.advanceTo(world.now() + 60_000);
      await world.quiet();
    }
    const times = new Map<string, number>();
    for (const { message_id: id } of world.ledger) times.set(id, (times.get(id) ?? 0) + 1);
    expect(times.size).toBe(MESSAGES);
    expect([...times.values()].filter((count) => count > 1)).toEqual(Array.from({ length: HANDS }, () => 2));
  });

  it("ends in time although Redis is away", async () => {
    const redis = await ownRedis();
    closing.push(redis.close);
    const port = await portTo(redis.socket);
    closing.push(port.close);
    await port.open();
    const worker = run("workers/main.ts", { REDIS_URL: port.url, SLUICE_SANDBOX: "on" });
    await until(() => worker.output().includes("worker_ready"), { within: 20_000 });
    await redis.leave();
    await until(() => worker.output().includes("redis_away"));
    const askedAt = performance.now();
    worker.kill("SIGTERM");
    const code = await worker.ended;
    expect(performance.now() - askedAt).toBeLessThan(10_000);
    expect(worker.output()).not.toContain("close_failed");
    expect(code).toBe(0);
  });
});
