/** WAIT asks for what its own connection has written: cut off between a script and the wait, nothing is taken for kept. */
import { afterAll, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { systemClock } from "../../src/domain/time.ts";
import { connect } from "../../src/redis/connect.ts";
import { durableRunner } from "../../src/redis/durable.ts";
import { beat } from "../../src/redis/scripts/beat.ts";
import { faultProxy, type Fault } from "../support/fault-proxy.ts";
import { redisServer } from "../support/redis-servers.ts";
import { until } from "../support/until.ts";

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
    const open = () => connect({ url: `redis://127.0.0.1:${proxy.port}` }, "durable", pino({ level: "silent" }));
    const run = durableRunner(server.cell, { level: "process", replicas: 1 }, { clock: systemClock, open });
    closing.push(server.close, replica.close, proxy.close, run.close);
    return { server, replica, proxy, run };
  };
  const seenOf = ({ seen }: { seen: ReadonlyMap<string, number> }, start: string): number =>
    [...seen].reduce((sum, [name, count]) => sum + (name.startsWith(start) ? count : 0), 0);
  const beats = (proxy: { seen: ReadonlyMap<string, number> }): number => seenOf(proxy, "eval");
  const waits = (proxy: { seen: ReadonlyMap<string, number> }): number => seenOf(proxy, "wait ");

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
    expect(waits(proxy)).toBeLessThanOrEqual(6);
  });

  it("does not hold up what comes while the replica takes its time", async () => {
    const { replica, proxy, run } = await aRunner();
    await beat(run, "w", { email: 1 }, true);
    const before = beats(proxy);
    replica.signal("SIGSTOP");
    let ended = 0;
    const first = beat(run, "w1", { email: 1 }, true).finally(() => ended++);
    await until(() => waits(proxy) === 2, { what: "the first to wait" });
    const second = beat(run, "w2", { email: 1 }, true);
    await until(() => beats(proxy) >= before + 2, { what: "the second to be done" });
    expect(ended).toBe(0);
    replica.signal("SIGCONT");
    expect(await Promise.all([first, second])).toEqual([2, 3]);
  });

  it("is refused when the replica has not answered in time, and taken once it has", async () => {
    const { replica, run } = await aRunner();
    replica.signal("SIGSTOP");
    await expect(beat(run, "w", { email: 1 }, true)).rejects.toThrow("NOTDURABLE expected it in 1 replicas, got 0");
    replica.signal("SIGCONT");
    expect(await beat(run, "w", { email: 1 }, true)).toBe(1);
  });

  it("is waited for once with those that belong to it, behind the last", async () => {
    const { proxy, run } = await aRunner();
    const answers = await run.whole(async (scripts) => {
      const counts = [];
      for (const name of ["a", "b", "c"]) counts.push(await beat(scripts, name, { email: 1 }, true));
      expect(waits(proxy)).toBe(0);
      return counts;
    });
    expect(answers).toEqual([1, 2, 3]);
    expect(waits(proxy)).toBe(1);
  });

  it("is told as failed when the connection broke between those that belong together, whatever the new one says", async () => {
    const { server, proxy, run } = await aRunner();
    const both = run.whole(async (scripts) => {
      await beat(scripts, "a", { email: 1 }, true);
      proxy.dropAll("cut");
      await until(() => beat(scripts, "b", { email: 1 }, true).catch(() => null), { what: "a new connection" });
    });
    await expect(both).rejects.toThrow("NOTDURABLE the connection broke");
    expect(await server.admin.zcard(`${server.cell}workers`)).toBe(2);
    expect(waits(proxy)).toBe(1);
  });

  it("throws what came in between as it is, and asks for no wait", async () => {
    const { proxy, run } = await aRunner();
    const refused = run.whole(async (scripts) => {
      await beat(scripts, "a", { email: 1 }, true);
      throw new RangeError("enough");
    });
    await expect(refused).rejects.toThrow(RangeError);
    expect(waits(proxy)).toBe(0);
    expect(await beat(run, "b", { email: 1 }, true)).toBe(2);
  });
});
