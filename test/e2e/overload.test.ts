/** More than Redis can take: producers are turned away in time, workers go on, and nothing spins at a full Redis. */
import { afterEach, describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { keptLog } from "../support/log-lines.ts";
import { isLong, note } from "../support/measuring.ts";
import { ownRedis, type OwnRedis } from "../support/own-redis.ts";
import { lasting } from "../support/redis-troubles.ts";
import { until } from "../support/until.ts";
import { aWorld, type World, type WorldOptions } from "../support/world.ts";

const infoOf = async (redis: Redis, name: string): Promise<number> =>
  Number(new RegExp(`^${name}:(\\d+)`, "m").exec(await redis.info())?.[1]);

/** At a full Redis, too: after a write that takes no memory. */
const A_LITTLE_LATER = `redis.call("DEL", KEYS[1] .. "nothing")
return redis.call("INCRBY", KEYS[1] .. "test_clock", 50)`;

/** As many as an email worker has (config/channels.ts). */
const HANDS = 50;
const MAILS = 400;
const FULL_ROUNDS = isLong ? 8 : 1;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

describe("a Redis that fills up", () => {
  let redis: OwnRedis;
  let world: World;
  let server: Redis;

  const begin = async (options: WorldOptions = {}) => {
    redis = await ownRedis();
    closing.push(redis.close);
    world = await aWorld({ redis, ...options });
    closing.push(world.stop);
    server = redis.connect();
  };
  /** Sets `maxmemory` so that this part of it is used. */
  const fill = async (part: number): Promise<void> => {
    await server.config("SET", "maxmemory", Math.round((await infoOf(server, "used_memory")) / part));
  };
  const bulk = (from: number, count: number) =>
    world.as("POST", "/v1/email/send/bulk", {
      messages: Array.from({ length: count }, (_, n) => world.bodyFor.email(from + n)),
    });
  /** Answers how many were accepted until then. */
  const turnedAway = async (): Promise<number> => {
    for (let accepted = 0; ; accepted++) if ((await world.send(1)).status === 503) return accepted;
  };

  it("turns producers away at three quarters, with Retry-After, and reads, cancels and sends on", async () => {
    await begin({ quotas: { email: { hour: 5 } } });
    const { results } = (await bulk(0, 60)).body;
    await world.quiet();
    expect(world.ledger).toHaveLength(5);
    // Of a server with nothing in it, a fifth is less than its clients' buffers: it would be full, not nearly full.
    await server.setrange("ballast", 64 * 1024 * 1024, "x");
    await fill(0.8);
    const late = await turnedAway();
    for (const refused of [
      await world.send(1, "sms"),
      await bulk(0, 3),
      await world.as("POST", "/v1/email/send", world.bodyFor.email(1), { "Idempotency-Key": "k" }),
    ]) {
      expect([refused.status, refused.body.code]).toEqual([503, "overloaded"]);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    const ready = (await world.call("GET", "/readyz")).body;
    expect(ready).toMatchObject({ status: "ready", memory: { shedding: true, limit: expect.any(Number) } });
    expect((await world.as("GET", `/v1/messages/${results[30].id}`)).body.status).toBe("throttled");
    expect((await world.as("DELETE", `/v1/messages/${results[59].id}`)).body.status).toBe("canceled");
    await world.call("PUT", `/v1/accounts/${world.account.id}/quotas/email`, { hour: null });
    await world.quiet();
    expect(world.ledger).toHaveLength(59 + late);
    await fill(0.7);
    await until(async () => (await world.send(1)).status === 202, { what: "room" });
    // The same key again: nothing was kept under it.
    const again = await world.as("POST", "/v1/email/send", world.bodyFor.email(1), { "Idempotency-Key": "k" });
    expect(again.status).toBe(202);
  });

  it("costs a question a second while somebody enqueues, and none while nobody does", async () => {
    await begin({ workers: 0 });
    const asked = async () => Number(/cmdstat_info:calls=(\d+)/.exec(await server.info("commandstats"))?.[1] ?? 0);
    await world.send(1);
    const [before, startedAt] = [await asked(), performance.now()];
    for (let n = 0; performance.now() - startedAt < 2_500; n++) await world.send(n % 9_000);
    const between = (await asked()) - before - 1; // the question about questions is one itself
    expect(between).toBeGreaterThanOrEqual(1);
    expect(between).toBeLessThanOrEqual(3);
  });

  /** Answers how long it took, once there was room again, until the first and until all had gone, in ms. */
  const fullRound = async (): Promise<{ firstInMs: number; allInMs: number }> => {
    const kept = keptLog("info");
    await begin({ log: kept.log });
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    world.provider.beforeArrival = () => opened;
    const ids = new Set<string>();
    const far = new Date(world.now() + 86_400_000).toISOString();
    const waiting: string = (await world.send(1, "sms", { send_at: far })).body.id;
    for (const { id } of (await bulk(0, MAILS)).body.results) ids.add(id);
    const sending = () => world.core.commands.zcard(`${world.core.keys.cell}sending`);
    await until(async () => (await sending()) === HANDS, { what: "all hands to be at the provider", within: 30_000 });
    await server.config("SET", "maxmemory", "1");
    // Time goes on: the gate's first write is to note it, and is refused.
    const clock = setInterval(() => void server.eval(A_LITTLE_LATER, 1, world.core.keys.cell).catch(() => {}), 500);
    closing.push(async () => clearInterval(clock));
    open();
    await until(async () => (await world.send(1)).status === 503, { what: "nothing is taken" });
    // What is on its way comes to its end, and is known: at a full Redis, too.
    await until(async () => world.ledger.length >= HANDS && (await sending()) === 0, {
      what: "outcomes to be settled",
      within: 30_000,
    });
    expect((await world.as("DELETE", `/v1/messages/${waiting}`)).body.status).toBe("canceled");
    expect((await world.call("GET", "/readyz")).body.workers).toBe(1);

    // Who must get through asks every two seconds by then.
    await lasting(4_000);
    const commands = () => infoOf(server, "total_commands_processed");
    const [lines, cpu, from, startedAt] = [kept.raw.length, process.cpuUsage(), await commands(), performance.now()];
    await lasting(4_000);
    const seconds = (performance.now() - startedAt) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    const calm = {
      commandsPerSecond: Math.round(((await commands()) - from) / seconds),
      cpu: (user + system) / 1e6 / seconds,
      linesPerSecond: (kept.raw.length - lines) / seconds,
    };
    note("full", calm);
    // What scripts call within themselves is counted as well, and so is the clock that moves on. (Sweeps that asked about
    // every job in vain made 1,700.)
    expect(calm.commandsPerSecond).toBeLessThan(500);
    expect(calm.cpu).toBeLessThan(0.4);
    expect(calm.linesPerSecond).toBeLessThan(5);

    const [arrived, roomAt] = [world.ledger.length, performance.now()];
    await server.config("SET", "maxmemory", "0");
    await until(() => world.ledger.length > arrived, { what: "the next to go", within: 60_000 });
    const firstInMs = Math.round(performance.now() - roomAt);
    await until(() => world.ledger.length >= MAILS, { what: "all to have gone", within: 60_000 });
    const allInMs = Math.round(performance.now() - roomAt);
    clearInterval(clock);
    await world.quiet();
    expect(arrived).toBeLessThan(MAILS);
    const went = world.ledger.map((entry) => entry.message_id);
    expect(new Set(went)).toEqual(ids);
    expect(went).toHaveLength(MAILS);
    return { firstInMs, allInMs };
  };

  it(
    "full, finishes what is on its way and is left in peace; then all goes on by itself, and each message has arrived once",
    async () => {
      for (let n = 0; n < FULL_ROUNDS; n++) {
        const resumed = await fullRound();
        note("room again", resumed);
        expect(resumed.allInMs).toBeLessThan(60_000);
        for (const close of closing.splice(0).toReversed()) await close();
      }
    },
    90_000 * FULL_ROUNDS,
  );
});

describe("an account with as much waiting as it may have", () => {
  it("is told 429 with Retry-After, a bulk is taken as a whole or not at all, and there is room once messages have gone", async () => {
    const world = await aWorld({ quotas: { email: { hour: 5 } }, env: { SLUICE_BACKLOG_CAP: "10" } });
    closing.push(world.stop);
    const bulk = (count: number) =>
      world.as("POST", "/v1/email/send/bulk", {
        template: { from: "shop@example.com", subject: "Hello", text: "It works." },
        recipients: Array.from({ length: count }, (_, n) => ({ to: `r${n}@example.net` })),
      });
    const waiting = async () => (await world.as("GET", "/v1/queues")).body.email.throttled;
    const batches = () => world.core.commands.keys(`${world.core.keys.cell}bat:*`);
    expect((await bulk(12)).body.code).toBe("backlog_full");
    expect((await bulk(8)).status).toBe(202);
    await world.quiet();
    expect([world.ledger.length, await waiting()]).toEqual([5, 3]);
    const before = await batches();
    const refused = await bulk(8);
    expect([refused.status, refused.body.code]).toEqual([429, "backlog_full"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await waiting()).toBe(3);
    // Nobody was told of its batch: it must not lie there for a year.
    expect(await batches()).toEqual(before);
    expect((await bulk(7)).status).toBe(202);
    expect((await world.send(1)).body.code).toBe("backlog_full");
    // Another account's backlog is its own.
    const other = await world.newAccount("Other");
    expect((await world.send(1, "email", {}, other.key)).status).toBe(202);
    await world.advanceTo("2026-03-01T10:00:00Z");
    await world.quiet();
    expect((await world.send(1)).status).toBe(202);
  });
});
