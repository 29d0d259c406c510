/** What a 202 promises is what this Redis gives, or there is no 202 and no sending: on real servers that give less. */
import { afterEach, describe, expect, it } from "@jest/globals";
import { redisHere } from "../start/scratch.ts";
import { redisServer, type RedisServer } from "../support/redis-servers.ts";
import { until } from "../support/until.ts";
import { aWorld, type World } from "../support/world.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const aServer = async (settings: Record<string, string> = {}): Promise<RedisServer> => {
  const server = await redisServer(settings);
  closing.push(server.close);
  return server;
};
const aWorldOn = async (redis: RedisServer, env: Record<string, string> = {}): Promise<World> => {
  const world = await aWorld({ redis, env });
  closing.push(world.stop);
  return world;
};
const readiness = async (world: World) => {
  const { status, headers, body } = await world.call("GET", "/readyz");
  if (status === 503) expect(headers.get("retry-after")).toBe("2");
  return { status, ...body };
};
const ready = (world: World) =>
  until(async () => (await world.call("GET", "/readyz")).status === 200, { what: "ready again" });

describe("readiness", () => {
  it("is refused with the reason while Redis keeps nothing, evicts, or is no master", async () => {
    const [server, other] = [await aServer(), await aServer()];
    const world = await aWorldOn(server);
    await ready(world);
    expect(await readiness(world)).toMatchObject({
      durability: { promised: "process", given: "process", how: "append-only file, appendfsync everysec" },
    });

    await server.config("appendonly", "no");
    expect(await readiness(world)).toMatchObject({
      status: "not_ready",
      reasons: ["durability: expected process (SLUICE_DURABILITY), got none (no append-only file)"],
      durability: { promised: "process", given: "none" },
    });
    await server.config("appendonly", "yes");
    await ready(world);

    await server.config("maxmemory-policy", "allkeys-lru");
    expect((await readiness(world)).reasons).toEqual([
      "maxmemory-policy (anything else throws messages away): expected noeviction, got allkeys-lru",
    ]);
    await server.config("maxmemory-policy", "noeviction");
    await ready(world);

    await other.replicate(server);
    await server.replicate(null);
    await server.admin.call("REPLICAOF", "127.0.0.1", other.port);
    await until(async () =>
      (await readiness(world)).reasons.includes("the role of this Redis: expected master, got slave"),
    );
    await server.replicate(null);
    await ready(world);
  });

  it("is refused while Redis would lose in a power cut what was promised to outlive it", async () => {
    const server = await aServer({ appendfsync: "no" });
    const world = await aWorldOn(server, { SLUICE_DURABILITY: "power" });
    const less = (how: string) => `durability: expected power (SLUICE_DURABILITY), got process (${how})`;
    expect(await readiness(world)).toMatchObject({
      status: "not_ready",
      reasons: [less("append-only file, appendfsync no")],
    });
    await server.config("no-appendfsync-on-rewrite", "yes");
    await server.config("appendfsync", "always");
    expect(await readiness(world)).toMatchObject({
      status: "not_ready",
      reasons: [less("append-only file, appendfsync always, no-appendfsync-on-rewrite yes")],
    });
    await server.config("no-appendfsync-on-rewrite", "no");
    await ready(world);
    expect((await readiness(world)).durability).toEqual({
      promised: "power",
      given: "power",
      how: "appendfsync always",
    });
  });
});

/** Redis 8.0 and later: see durability.ts. */
const binary = await redisHere();
const tellsOfItsDisk = !binary.file.includes("valkey") && Number.parseInt(binary.version, 10) >= 8;

(tellsOfItsDisk ? describe : describe.skip)(
  "a promise that outlives power loss, where the disk has its turn once a second",
  () => {
    it("is given when the disk has had it: for each message, for a bulk, and before each attempt", async () => {
      const world = await aWorldOn(await aServer(), { SLUICE_DURABILITY: "power" });
      await ready(world);
      expect((await readiness(world)).durability).toEqual({
        promised: "power",
        given: "power",
        how: "WAITAOF after each acceptance and before each attempt",
      });
      const messages = Array.from({ length: 250 }, (_, n) => world.bodyFor.email(n));
      const bulk = await world.as("POST", "/v1/email/send/bulk", { messages });
      expect(bulk.body.accepted).toBe(250);
      const singles = await Promise.all(Array.from({ length: 30 }, (_, n) => world.send(n, "sms")));
      expect(new Set(singles.map(({ status }) => status))).toEqual(new Set([202]));
      await world.quiet();
      expect(world.ledger).toHaveLength(280);
    });
  },
);

describe("a promise that Redis does not keep", () => {
  it("is not given: 503 instead of 202, and sending waits until it is kept", async () => {
    const server = await aServer({ appendfsync: "no" });
    const world = await aWorldOn(server, { SLUICE_DURABILITY: "power" });
    const refused = await world.send(1);
    expect([refused.status, refused.body.code]).toEqual([503, "unavailable"]);
    expect(refused.body.detail).toContain("keeps less than was promised");
    expect((await world.as("GET", "/v1/queues")).body.email.queued).toBe(0);
    await server.config("appendfsync", "always");
    await until(async () => (await world.send(2)).status === 202, { what: "a promise that is kept" });
    await world.quiet();
    expect(world.ledger).toHaveLength(1);
  });

  it("with a replica that has not got it: no 202, and no provider is called, until it has", async () => {
    const [server, replica] = [await aServer(), await aServer()];
    await replica.replicate(server);
    const world = await aWorldOn(server, { SLUICE_REPLICAS: "1" });
    expect((await readiness(world)).durability.how).toContain("WAIT for 1 replica");
    expect((await world.send(1)).status).toBe(202);
    await world.quiet();
    expect(world.ledger).toHaveLength(1);

    replica.signal("SIGSTOP");
    const key = { "Idempotency-Key": "once" };
    const refused = await world.as("POST", "/v1/sms/send", world.bodyFor.sms(2), key);
    expect([refused.status, refused.body.code]).toEqual([503, "unavailable"]);
    // It is there, though nobody was promised that it stays; a worker has it in hand, and must not call for it.
    await until(async () => (await world.as("GET", "/v1/queues")).body.sms.sending === 1, { what: "a begin" });
    await until(async () => (await world.as("POST", "/v1/sms/send", world.bodyFor.sms(3), key)).status !== 409);
    expect(world.ledger).toHaveLength(1);

    replica.signal("SIGCONT");
    await until(async () => (await world.as("POST", "/v1/sms/send", world.bodyFor.sms(2), key)).status === 202, {
      what: "the same request to be accepted",
    });
    await world.quiet();
    expect(world.ledger.map(({ channel, body }) => [channel, body])).toEqual([
      ["email", "body 1"],
      ["sms", "text 2"],
    ]);
  });

  it("what a worker has in hand meanwhile is given back when it stops: uncalled, uncharged, in its lane", async () => {
    const [server, replica] = [await aServer(), await aServer()];
    await replica.replicate(server);
    const world = await aWorld({ redis: server, env: { SLUICE_REPLICAS: "1" }, workers: 0 });
    closing.push(world.stop);
    const worker = await world.startWorker();
    replica.signal("SIGSTOP");
    const refused = await world.send(1, "sms");
    expect(refused.status).toBe(503);
    const sms = async () => (await world.as("GET", "/v1/queues")).body.sms;
    await until(async () => (await sms()).sending === 1, { what: "a begin" });
    await worker.stop();
    expect(await sms()).toMatchObject({ sending: 0, queued: 1 });
    expect((await world.as("GET", "/v1/quotas")).body.sms.hour).toMatchObject({ used: 0, held: 0 });
    expect(world.ledger).toEqual([]);
  });

  it("with a replica that is gone: not ready, and 503", async () => {
    const [server, replica] = [await aServer(), await aServer()];
    await replica.replicate(server);
    const world = await aWorldOn(server, { SLUICE_REPLICAS: "1" });
    await ready(world);
    replica.signal("SIGKILL");
    await until(async () => (await readiness(world)).reasons.length > 0);
    expect((await readiness(world)).reasons).toEqual(["replicas: expected 1 connected (SLUICE_REPLICAS), got 0"]);
    expect((await world.send(2, "sms")).status).toBe(503);
  });
});
