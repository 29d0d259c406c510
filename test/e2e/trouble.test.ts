/** Redis goes away in mid-traffic, in every way it can: what callers are told, and that all goes on by itself. */
import { afterEach, describe, expect, it } from "@jest/globals";
import { keptLog } from "../support/log-lines.ts";
import { ownRedis, type OwnRedis } from "../support/own-redis.ts";
import { expectAllToGoOn, traffic } from "../support/traffic.ts";
import { until } from "../support/until.ts";
import { aWorld, type Answer, type World } from "../support/world.ts";

const timed = async (ask: () => Promise<Answer>): Promise<Answer & { tookMs: number }> => {
  const startedAt = performance.now();
  const answer = await ask();
  return { ...answer, tookMs: performance.now() - startedAt };
};

describe("Redis gone in mid-traffic", () => {
  let redis: OwnRedis;
  let world: World;
  afterEach(async () => {
    redis.thaw();
    await redis.back();
    await world.stop();
    await redis.close();
  });

  const begin = async () => {
    const kept = keptLog("info");
    redis = await ownRedis();
    world = await aWorld({ redis, log: kept.log });
    const running = traffic(world);
    await until(() => world.ledger.length > 50, { what: "traffic" });
    return { kept, running };
  };

  const expectUnavailable = (answer: Answer & { tookMs: number }): void => {
    expect(answer.status).toBe(503);
    expect(answer.body.code).toBe("unavailable");
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(answer.tookMs).toBeLessThan(6_500);
  };

  it("frozen: 503 with Retry-After within seconds, nothing spins, and then everything goes on by itself", async () => {
    const { kept, running } = await begin();
    redis.freeze();
    const [lines, cpu, startedAt] = [kept.raw.length, process.cpuUsage(), performance.now()];
    const asking = timed(() => world.call("GET", "/readyz"));
    const asked = await Promise.all([
      timed(() => world.send(1)),
      timed(() => world.send(2, "sms", {}, world.account.key)),
      timed(() => world.as("POST", "/v1/email/send", world.bodyFor.email(3), { "Idempotency-Key": "frozen" })),
      timed(() => world.call("POST", "/v1/accounts", { name: "Late", timezone: "UTC" })),
      timed(() => world.as("GET", "/v1/quotas")),
    ]);
    for (const answer of asked) expectUnavailable(answer);
    const ready = await asking;
    expect(ready.status).toBe(503);
    expect(ready.tookMs).toBeLessThan(6_500);
    expect(JSON.stringify(ready.body)).toContain("Redis: expected an answer, got none");
    expect((await world.call("GET", "/healthz")).status).toBe(200);
    const { user, system } = process.cpuUsage(cpu);
    const elapsed = (performance.now() - startedAt) * 1_000;
    expect((user + system) / elapsed).toBeLessThan(0.5);
    // A line for each answer of 503 and each loop that fails once; nothing that repeats by itself.
    expect(kept.raw.length - lines).toBeLessThan(250);
    redis.thaw();
    await expectAllToGoOn(world, running);
  });

  it("gone: refused connections are answered at once, and all is sent once it is back", async () => {
    const { kept, running } = await begin();
    await redis.leave();
    const lines = kept.raw.length;
    const answer = await timed(() => world.send(1));
    expectUnavailable(answer);
    expect(answer.tookMs).toBeLessThan(2_000);
    const ready = await timed(() => world.call("GET", "/readyz"));
    expect(ready.status).toBe(503);
    expect(kept.raw.length - lines).toBeLessThan(5_000);
    const refused = running.refused.length;
    await until(() => running.refused.length > refused + 5, { what: "more refusals" });
    await redis.back();
    await expectAllToGoOn(world, running);
  });

  it("emptied of BullMQ's lists, what was released is released anew, and arrives once", async () => {
    redis = await ownRedis();
    world = await aWorld({ redis, env: { SLUICE_CONCURRENCY: "email=2" } });
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    world.provider.beforeArrival = () => opened;
    const messages = Array.from({ length: 20 }, (_, n) => world.bodyFor.email(n));
    await world.as("POST", "/v1/email/send/bulk", { messages });
    const wait = `${world.core.keys.bullPrefix}:email:wait`;
    await until(() => world.core.commands.llen(wait), { what: "jobs that wait for hands" });
    await world.core.commands.del(wait);
    open();
    await world.advanceTo(world.now() + 3_100);
    await world.quiet();
    expect(new Set(world.ledger.map((entry) => entry.message_id)).size).toBe(20);
    expect(world.ledger).toHaveLength(20);
  });

  it("killed and started again by itself: all is sent, each once", async () => {
    const { running } = await begin();
    redis.kill();
    await expectAllToGoOn(world, running);
  });
});
