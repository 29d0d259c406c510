/** WAIT asks for what its own connection has written: cut off between a script and the wait, nothing is taken for kept. */
import { afterAll, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { systemClock } from "../../src/domain/time.ts";
import { connect } from "../../src/redis/connect.ts";
import { durableRunner } from "../../src/redis/durable.ts";
import { beat } from "../../src/redis/scripts/beat.ts";
import { faultProxy, type Fault } from "../support/fault-proxy.ts";
import { redisServer } from "../support/redis-servers.ts";

const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const isWait = ([command]: readonly string[]): boolean => command?.toLowerCase() === "wait";

describe("a script that must be kept by a replica", () => {
  const aRunner = async () => {
    const [server, replica] = [await redisServer(), await redisServer()];
    await replica.replicate(server);
    const proxy = await faultProxy(server.address);
    const redis = connect({ url: `redis://127.0.0.1:${proxy.port}` }, "durable", pino({ level: "silent" }));
    closing.push(server.close, replica.close, proxy.close, async () => redis.disconnect());
    const promised = { level: "process", replicas: 1 } as const;
    return { server, replica, proxy, run: durableRunner(redis, server.cell, promised, { clock: systemClock }) };
  };
  const beats = (proxy: { seen: ReadonlyMap<string, number> }): number =>
    [...proxy.seen].reduce((sum, [name, count]) => sum + (name.startsWith("eval") ? count : 0), 0);

  it.each<Fault>(["cut", "reset", "truncate"])(
    "is told as failed when the connection breaks (%s) before the wait is answered, and is not sent again by itself",
    async (fault) => {
      const { server, proxy, run } = await aRunner();
      await beat(run, "w", { email: 1 }, true);
      const before = beats(proxy);
      proxy.arm(fault, isWait);
      await expect(beat(run, "w", { email: 2 }, true)).rejects.toThrow();
      expect(proxy.happened).toBe(1);
      expect(beats(proxy)).toBe(before + 1);
      // It was done, and nobody may act on it; the same again is answered, and waited for.
      expect(await server.admin.zcard(`${server.cell}workers`)).toBe(2);
      expect(await beat(run, "w", { email: 2 }, true)).toBe(2);
    },
  );

  it("shares a wait with those that come while it is waited for", async () => {
    const { proxy, run } = await aRunner();
    proxy.delay(50);
    const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => beat(run, `w${n}`, { email: 1 }, true)));
    expect(Math.max(...answers)).toBe(30);
    const waits = [...proxy.seen].reduce((sum, [name, count]) => sum + (name.startsWith("wait ") ? count : 0), 0);
    expect(waits).toBeLessThanOrEqual(6);
  });

  it("is refused when the replica has not answered in time, and taken once it has", async () => {
    const { replica, run } = await aRunner();
    replica.signal("SIGSTOP");
    await expect(beat(run, "w", { email: 1 }, true)).rejects.toThrow("NOTDURABLE expected it in 1 replicas, got 0");
    replica.signal("SIGCONT");
    expect(await beat(run, "w", { email: 1 }, true)).toBe(1);
  });
});
