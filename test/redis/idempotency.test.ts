import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { idempotencyOn } from "../../src/accounts/idempotency-store.ts";
import { idOf, newSeed } from "../../src/domain/id.ts";
import { instant, systemClock } from "../../src/domain/time.ts";
import { keysOf, type Keys } from "../../src/redis/keys.ts";
import { scriptRunner } from "../../src/redis/script.ts";
import { testRedis, type TestRedis } from "../support/redis.ts";

let server: TestRedis;
let redis: Redis;
let keys: Keys;
beforeAll(async () => {
  server = await testRedis();
  redis = server.connect();
  keys = keysOf(server.cell);
});
afterAll(() => server.close());

const ROUTE = "POST /v1/email/send";
/** A process whose runs say that they run whenever it is told to. */
const aProcess = () => {
  const repeated = new Set<() => void>();
  const repeat = (_: number, what: () => void) => {
    repeated.add(what);
    return () => void repeated.delete(what);
  };
  const there = scriptRunner(redis, server.cell, { testClock: true });
  const away: typeof there = { run: () => Promise.reject(new Error("Connection is closed.")) };
  let scripts = there;
  return {
    ...idempotencyOn({ scripts: { run: (...args) => scripts.run(...args) }, clock: systemClock, repeat }),
    loseRedis: () => {
      scripts = away;
    },
    renew: async () => {
      for (const what of repeated) what();
      // On the same connection, and therefore after what was just sent.
      await redis.ping();
    },
  };
};
const store = aProcess;
const start = (key: string, fingerprint = "f1", account = "acc_1", route = ROUTE) =>
  store().start(account, route, key, fingerprint);
const moveTime = async (by: number) => {
  const now = Number((await redis.get(`${server.cell}clock`)) ?? 0);
  await redis.set(keys.testClock, now + by);
};

describe("an Idempotency-Key", () => {
  it("lets one of a hundred at once through, and no other", async () => {
    const started = await Promise.all(Array.from({ length: 100 }, () => start("hundred")));
    expect(started.filter(({ kind }) => kind === "fresh")).toHaveLength(1);
    expect(started.filter(({ kind }) => kind === "running")).toHaveLength(99);
  });

  it("gets the same answer for a day", async () => {
    await start("answered");
    const answer = { status: 202, body: { id: "msg_1", status: "queued", held_by: null } };
    await store().keep("acc_1", ROUTE, "answered", "f1", answer);
    expect(await start("answered")).toEqual({ kind: "replay", answer });
    expect(await redis.ttl(keys.idempotency("acc_1", ROUTE, "answered"))).toBe(86_400);
  });

  it("with another body is a mismatch, while it runs, after it was answered and after it was let go", async () => {
    await start("mismatch");
    expect(await start("mismatch", "f2")).toEqual({ kind: "mismatch" });
    await store().release("acc_1", ROUTE, "mismatch", "f1", "unknown");
    expect(await start("mismatch", "f2")).toEqual({ kind: "mismatch" });
    await start("mismatch");
    await store().keep("acc_1", ROUTE, "mismatch", "f1", { status: 422, body: {} });
    expect(await start("mismatch", "f2")).toEqual({ kind: "mismatch" });
  });

  it("belongs to one account and one route", async () => {
    const fresh = [
      await start("mine"),
      await start("mine", "f2", "acc_2"),
      await start("mine", "f3", "acc_1", "POST /v1/sms/send"),
    ];
    expect(fresh.map(({ kind }) => kind)).toEqual(["fresh", "fresh", "fresh"]);
  });

  it("whose run was let go may be used again at once, under the same seed", async () => {
    const first = await start("let-go");
    await store().release("acc_1", ROUTE, "let-go", "f1", "unknown");
    expect(await start("let-go")).toEqual(first);
    expect(await start("let-go")).toEqual({ kind: "running" });
  });

  it("has what was judged of it judged once, unless nothing came of it", async () => {
    const ours = ["acc_1", ROUTE, "judged", "f1"] as const;
    const first = await start("judged");
    if (first.kind !== "fresh") throw new Error("expected a key that nobody has used");
    expect(await store().decide(...ours, null)).toBeNull();
    expect(await store().decide(...ours, ["late"])).toEqual(["late"]);
    await store().release(...ours, "unknown");
    await moveTime(60_000);
    expect(await start("judged")).toEqual(first);
    expect(await store().decide(...ours, [])).toEqual(["late"]);
    expect(await store().decide(...ours, null)).toEqual(["late"]);
    await store().release(...ours, "nothing");
    const anew = await start("judged");
    expect(anew).toMatchObject({ kind: "fresh", seed: first.seed });
    expect(anew.kind === "fresh" && anew.at - first.at).toBeGreaterThanOrEqual(60_000);
    expect(await store().decide(...ours, ["other"])).toEqual(["other"]);
    await redis.del(keys.testClock);
  });

  it("whose run died may be used again after 5 seconds, under the same seed, so that nothing is made twice", async () => {
    const first = await start("died");
    await moveTime(4_999);
    expect(await start("died")).toEqual({ kind: "running" });
    await moveTime(1);
    const again = await Promise.all(Array.from({ length: 10 }, () => start("died")));
    expect(again.filter(({ kind }) => kind === "fresh")).toEqual([first]);
    await moveTime(5_000);
    expect(await start("died")).toEqual(first);
    await redis.del(keys.testClock);
  });

  it("stays taken for as long as its run says that it runs, and no longer", async () => {
    const process = aProcess();
    const first = await process.start("acc_1", ROUTE, "long", "f1");
    for (let second = 0; second < 20; second += 4) {
      await moveTime(4_000);
      await process.renew();
      expect(await start("long")).toEqual({ kind: "running" });
    }
    await process.release("acc_1", ROUTE, "long", "f1", "unknown");
    await process.renew();
    expect(await start("long")).toEqual(first);
    await redis.del(keys.testClock);
  });

  it("is free within seconds where Redis could not be told that its run is over", async () => {
    const process = aProcess();
    const first = await process.start("acc_1", ROUTE, "untold", "f1");
    process.loseRedis();
    await expect(process.release("acc_1", ROUTE, "untold", "f1", "unknown")).rejects.toThrow("closed");
    await process.renew();
    await moveTime(5_000);
    expect(await start("untold")).toEqual(first);
    await redis.del(keys.testClock);
  });

  it("keeps the first answer when a run that was taken for dead answers after all", async () => {
    await start("late");
    await store().keep("acc_1", ROUTE, "late", "f1", { status: 202, body: 1 });
    await store().keep("acc_1", ROUTE, "late", "f1", { status: 202, body: 2 });
    await store().release("acc_1", ROUTE, "late", "f1", "unknown");
    expect(await start("late")).toEqual({ kind: "replay", answer: { status: 202, body: 1 } });
  });

  it("is not answered by a request with another body", async () => {
    await start("other");
    await store().keep("acc_1", ROUTE, "other", "f2", { status: 202, body: 1 });
    await store().release("acc_1", ROUTE, "other", "f2", "unknown");
    expect(await start("other")).toEqual({ kind: "running" });
  });

  it("keeps the answer to ten thousand recipients whole, in a twentieth of its size", async () => {
    const seed = newSeed(instant(1_700_000_000_000));
    const results = Array.from({ length: 10_000 }, (_, n) => ({
      id: idOf("msg", seed, n),
      status: "queued",
      note: "é\u2028",
    }));
    const body = { batch_id: idOf("bat", seed), accepted: 10_000, rejected: 0, results };
    await start("bulk");
    await store().keep("acc_1", ROUTE, "bulk", "f1", { status: 202, body });
    expect(await start("bulk")).toEqual({ kind: "replay", answer: { status: 202, body } });
    const kept = await redis.hstrlen(keys.idempotency("acc_1", ROUTE, "bulk"), "body");
    expect(kept * 20).toBeLessThan(JSON.stringify(body).length);
  });

  it("goes on when a command was sent twice because its reply was lost", async () => {
    const twice = scriptRunner(redis, server.cell);
    const runner: typeof twice = { run: async (...args) => (await twice.run(...args), twice.run(...args)) };
    const resending = idempotencyOn({ scripts: runner, clock: systemClock });
    expect(await resending.start("acc_1", ROUTE, "resent", "f1")).toMatchObject({ kind: "fresh" });
    await resending.keep("acc_1", ROUTE, "resent", "f1", { status: 202, body: "x" });
    expect(await start("resent")).toEqual({ kind: "replay", answer: { status: 202, body: "x" } });
  });
});
