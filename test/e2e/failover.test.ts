/** A replica takes over without the last of what was acknowledged, under load: judged by the provider's side. */
import { afterEach, describe, expect, it } from "@jest/globals";
import { redisServer, type RedisServer } from "../support/redis-servers.ts";
import { switchboard } from "../support/switchboard.ts";
import { until } from "../support/until.ts";
import { startWorkerProcess } from "../support/worker-processes.ts";
import { aWorld, type World } from "../support/world.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const aServer = async (): Promise<RedisServer> => {
  const server = await redisServer();
  closing.push(server.close);
  return server;
};

const bodies = (world: World, channel: string): string[] =>
  world.ledger.flatMap((entry) => (entry.channel === channel ? [entry.body ?? ""] : []));

describe("a failover that loses writes", () => {
  it("goes on by itself: nothing over in any window, no text twice, nothing that was kept is lost", async () => {
    const [master, replica] = [await aServer(), await aServer()];
    await replica.replicate(master);
    const board = await switchboard(master);
    closing.push(board.close);
    const quotas = { email: { hour: 60 }, sms: { hour: 50 } };
    const world = await aWorld({ redis: board, workers: 0, quotas });
    closing.push(world.stop);
    const workers = [await startWorkerProcess(world), await startWorkerProcess(world)];
    for (const worker of workers) closing.push(() => worker.end("SIGKILL"));

    // From its 20th arrival on, the provider takes in what the replica will never hear of.
    let arrivals = 0;
    let cut = 0;
    world.provider.beforeArrival = async () => {
      arrivals++;
      if (arrivals === 20) {
        await replica.replicate(null);
        cut = arrivals;
      }
      if (arrivals === 50) board.switchTo(replica);
    };
    for (const channel of ["email", "sms"] as const) {
      const messages = Array.from({ length: 100 }, (_, n) => world.bodyFor[channel](n));
      const bulk = await world.as("POST", `/v1/${channel}/send/bulk`, { messages });
      expect(bulk.status).toBe(202);
    }
    await until(() => arrivals >= 50, { what: "the failover", within: 20_000 });
    await until(() => world.ledger.length >= 110, { what: "the quota to be used up", within: 20_000 });
    await world.quiet();
    expect(cut).toBeGreaterThan(0);

    expect(bodies(world, "sms")).toHaveLength(50);
    expect(bodies(world, "email")).toHaveLength(60);
    expect(new Set(bodies(world, "sms")).size).toBe(50);
    expect(new Set(bodies(world, "email")).size).toBe(60);
    const used = (await world.as("GET", "/v1/quotas")).body;
    expect([used.sms.hour.used, used.sms.hour.held]).toEqual([50, 0]);
    expect([used.email.hour.used, used.email.hour.held]).toEqual([60, 0]);

    for (const hour of [10, 11]) {
      await world.advanceTo(`2026-03-01T${hour}:00:00Z`);
      await world.quiet();
    }
    expect(new Set(bodies(world, "sms")).size).toBe(100);
    expect(bodies(world, "sms")).toHaveLength(100);
    expect(bodies(world, "email")).toHaveLength(100);
  });
});
