/** A replica takes over without the last of what was acknowledged, under load: judged by the provider's side. */
import { afterEach, describe, expect, it } from "@jest/globals";
import { keptLog } from "../support/log-lines.ts";
import { redisServer, type RedisServer } from "../support/redis-servers.ts";
import { switchboard, type Switchboard } from "../support/switchboard.ts";
import { until } from "../support/until.ts";
import { startWorkerProcess, type WorkerProcess } from "../support/worker-processes.ts";
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

const QUOTAS = { email: { hour: 60 }, sms: { hour: 50 } };
const CHANNELS = ["email", "sms"] as const;
/** So that what is in flight is few beside what is forgotten, and quota is left when the failover comes. */
const FEW_HANDS = { SLUICE_CONCURRENCY: "email=4,sms=4" };

interface Pair {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly board: Switchboard;
  readonly world: World;
}
const aPair = async (options: Parameters<typeof aWorld>[0] = {}): Promise<Pair> => {
  const [master, replica] = [await aServer(), await aServer()];
  await replica.replicate(master);
  const board = await switchboard(master);
  closing.push(board.close);
  const world = await aWorld({ redis: board, quotas: QUOTAS, env: FEW_HANDS, ...options });
  closing.push(world.stop);
  return { master, replica, board, world };
};
/** The replica has all that has been written so far. */
const inStep = async ({ master, replica }: Pick<Pair, "master" | "replica">): Promise<void> => {
  const mark = String(performance.now());
  await master.admin.set("mark", mark);
  await until(async () => (await replica.admin.get("mark")) === mark, { what: "the replica to be in step" });
};
const aProcess = async (world: World, through: Switchboard | null = null): Promise<WorkerProcess> => {
  const address = through && "url" in through.address ? { TEST_ADDRESS: through.address.url } : {};
  const worker = await startWorkerProcess(world, { env: { TEST_LOG: "info", ...FEW_HANDS, ...address } });
  closing.push(() => worker.end("SIGKILL"));
  return worker;
};

const enqueue = async (world: World, count: number): Promise<void> => {
  for (const channel of CHANNELS) {
    const messages = Array.from({ length: count }, (_, n) => world.bodyFor[channel](n));
    expect((await world.as("POST", `/v1/${channel}/send/bulk`, { messages })).status).toBe(202);
  }
};
/** From its `from`-th arrival on, the provider takes in what the replica will never hear of; at `to`, the replica is master. */
const loseBetween = ({ world, master, replica, board }: Pair, from: number, to: number, onSwitch = (): void => {}) => {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  /** The provider takes nothing in before `open`: what is enqueued is to be known to both. */
  const seen = { arrivals: 0, switchedAt: 0, open };
  world.provider.beforeArrival = async () => {
    await opened;
    seen.arrivals++;
    if (seen.arrivals === from) {
      await inStep({ master, replica });
      await replica.replicate(null);
    }
    if (seen.arrivals === to) {
      onSwitch();
      board.switchTo(replica);
      seen.switchedAt = performance.now();
    }
  };
  return seen;
};

/**
 * How long nothing goes: until a message arrives that is accepted while sending is held, on a channel of which nobody holds
 * anything. (What went to a worker that dies comes back by BullMQ's clock alone: the cell's stands still here.)
 */
const heldFor = async (world: World, { switchedAt }: { switchedAt: number }): Promise<number> => {
  expect((await world.send(1, "whatsapp")).status).toBe(202);
  await until(() => bodies(world, "whatsapp").length > 0, { what: "what came while sending was held", within: 30_000 });
  return performance.now() - switchedAt;
};

const bodies = (world: World, channel: string): string[] =>
  world.ledger.flatMap((entry) => (entry.channel === channel ? [entry.body ?? ""] : []));
/** Each at most once, and so many. */
const expectOnce = (world: World, channel: string, count: number): void => {
  const arrived = bodies(world, channel);
  expect([channel, arrived.length, new Set(arrived).size]).toEqual([channel, count, count]);
};
const readiness = async (world: World) => (await world.call("GET", "/readyz")).body;
const metric = async (world: World, name: string): Promise<number> => {
  const text: string = (await world.call("GET", "/metrics")).body;
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
};

describe("a failover that loses writes", () => {
  it("goes on by itself: nothing over in any window, no text twice, nothing that was kept is lost; and it says so", async () => {
    const pair = await aPair({ workers: 0 });
    const { world } = pair;
    // The second is cut off with the master, and comes back two seconds after the first: nobody knows what it has sent.
    const other = await switchboard(pair.master);
    closing.push(other.close);
    const workers = [await aProcess(world), await aProcess(world, other)];
    const seen = loseBetween(pair, 20, 90, () => other.switchTo(null));
    await enqueue(world, 100);
    seen.open();
    const { admin } = pair.replica;
    const { home } = world.core.keys;
    const heldSoFar = async (): Promise<number> =>
      Number((await admin.time())[0]) * 1_000 - Number((await admin.hget(home, "since")) ?? Infinity);
    await until(async () => (await heldSoFar()) > 2_000, { what: "two seconds without the other", within: 30_000 });
    const held = heldFor(world, seen);
    other.switchTo(pair.replica);
    const count = (): number => CHANNELS.flatMap((channel) => bodies(world, channel)).length;
    const isOver = (): boolean => count() > 110;
    await until(() => count() >= 110, { what: "the quota to be used up", within: 30_000 });
    const isQuiet = async (): Promise<boolean> => {
      const { due, ready, inFlight } = await world.depths();
      return due === 0 && ready === 0 && inFlight === 0;
    };
    await until(async () => isOver() || (await isQuiet()), { what: "no more to come", within: 40_000 });
    for (const channel of CHANNELS) expectOnce(world, channel, QUOTAS[channel].hour);
    expect(await held).toBeLessThan(15_000);

    const used = (await world.as("GET", "/v1/quotas")).body;
    for (const channel of CHANNELS)
      expect(used[channel].hour).toMatchObject({ used: QUOTAS[channel].hour, held: 0, remaining: 0 });
    const ready = await readiness(world);
    expect(ready).toMatchObject({ status: "ready", failover: { held: false, moves: 1, lost_moves: 1 } });
    expect(ready.failover.restored).toBeGreaterThan(10);
    expect(ready.failover.last_lost_at).toMatch(/Z$/);
    expect(await metric(world, 'sluice_failovers_total{lost="yes"}')).toBe(1);
    expect(await metric(world, "sluice_sending_held")).toBe(0);
    const said = workers.flatMap((worker) =>
      worker
        .output()
        .split("\n")
        .filter((line) => line.includes("failover_ended")),
    );
    expect(said.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ level: 40, lost: true, silent: 0 }),
    ]);

    for (const hour of [10, 11]) {
      await world.advanceTo(`2026-03-01T${hour}:00:00Z`);
      await world.quiet();
    }
    for (const channel of CHANNELS) expectOnce(world, channel, 100);
  }, 60_000);

  it("finds a worker in the midst of a call: what it hears afterwards is taken, and nobody calls again", async () => {
    const pair = await aPair({ workers: 2 });
    const { world, replica, board } = pair;
    await inStep(pair);
    let answer = (): void => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let called = 0;
    world.provider.beforeArrival = async () => {
      called++;
      await answered;
    };
    await replica.replicate(null);
    // Accepted, begun, and called for, all of it unknown to the replica.
    const { body } = await world.send(1, "sms");
    await until(() => called === 1, { what: "a call" });
    board.switchTo(replica);
    await until(async () => (await readiness(world)).failover?.restored === 1, { what: "what is being sent put back" });
    expect((await world.as("GET", `/v1/messages/${body.id}`)).body.status).toBe("sending");
    answer();
    await world.quiet();
    expect((await world.as("GET", `/v1/messages/${body.id}`)).body).toMatchObject({ status: "sent" });
    expect(called).toBe(1);
    expectOnce(world, "sms", 1);
    expect((await world.as("GET", "/v1/quotas")).body.sms.hour).toMatchObject({ used: 1, held: 0 });
  });

  it("does not wait for ever for a worker that died with the master", async () => {
    const pair = await aPair({ workers: 1 });
    const { world } = pair;
    const mortal = await aProcess(world);
    const seen = loseBetween(pair, 20, 40);
    await enqueue(world, 100);
    seen.open();
    await until(() => seen.arrivals >= 20, { what: "arrivals" });
    await mortal.end("SIGKILL");
    await until(() => seen.switchedAt > 0, { what: "the failover", within: 30_000 });
    const isHeld = await until(async () => (await readiness(world)).failover?.held, { what: "sending to be held" });
    expect(isHeld).toBe(true);
    const held = heldFor(world, seen);
    expect((await readiness(world)).reasons.join()).toContain("failover: expected the Redis on which sending went on");
    await until(async () => (await readiness(world)).failover?.held === false, { what: "the end", within: 15_000 });
    expect(await held).toBeLessThan(15_000);
    for (const channel of CHANNELS) expect(bodies(world, channel).length).toBeLessThanOrEqual(QUOTAS[channel].hour);
  }, 60_000);
});

describe("a Redis that comes back", () => {
  it("with all that it acknowledged is not said to have lost anything, and counts as before", async () => {
    const server = await aServer();
    const kept = keptLog("info");
    const world = await aWorld({ redis: server, quotas: QUOTAS, workers: 2, env: FEW_HANDS, log: kept.log });
    closing.push(world.stop);
    await enqueue(world, 100);
    await until(() => world.ledger.length >= 30, { what: "traffic" });
    await server.restart();
    await until(() => world.ledger.length >= 110, { what: "the quota to be used up", within: 15_000 });
    await world.quiet();
    for (const channel of CHANNELS) expectOnce(world, channel, QUOTAS[channel].hour);
    expect((await readiness(world)).failover).toEqual({
      held: false,
      moves: 1,
      lost_moves: 0,
      last_lost_at: null,
      restored: 0,
    });
    expect(kept.lines().filter(({ event = "" }) => event.startsWith("failover_restored"))).toEqual([]);
    expect(kept.lines()).toContainEqual(
      expect.objectContaining({ event: "failover_ended", level: "info", lost: false }),
    );
  });

  it("empty, is noticed and said at once", async () => {
    const server = await aServer();
    const kept = keptLog("info");
    const world = await aWorld({ redis: server, workers: 1, log: kept.log });
    closing.push(world.stop);
    await world.send(1);
    await world.quiet();
    await until(async () => Number(await server.admin.hget(world.core.keys.home, "generation")) > 0);
    await until(async () => (await readiness(world)).status === "ready");
    await server.admin.flushall();
    await until(() => kept.lines().some(({ event, lost }) => event === "failover_ended" && lost === true), {
      what: "it to be said",
      within: 10_000,
    });
    expect(await metric(world, 'sluice_failovers_total{lost="yes"}')).toBe(1);
  });
});
