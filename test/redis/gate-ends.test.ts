/** Canceling, purging, batches, and the sums that are shown: whatever becomes of a message, it leaves nothing behind. */
import { describe, expect, it } from "@jest/globals";
import { idOf, type IdSeed } from "../../src/domain/id.ts";
import { milliseconds } from "../../src/domain/time.ts";
import { accept } from "../../src/redis/scripts/accept.ts";
import { openBatch } from "../../src/redis/scripts/open-batch.ts";
import { cancelSome } from "../../src/redis/scripts/cancel-some.ts";
import { purge } from "../../src/redis/scripts/purge.ts";
import { gateStages } from "../support/gate-cell.ts";
import { DAY, HOUR, type Stage } from "../support/gate-stage.ts";

const sums = async (stage: Stage, key = "stat:email"): Promise<Record<string, number>> => {
  const { queued, throttled, scheduled, released, sending } = await stage.fields(key);
  return Object.fromEntries(
    Object.entries({ queued, throttled, scheduled, released, sending }).map(([name, text]) => [
      name,
      Number(text ?? 0),
    ]),
  );
};

describe("an attempt whose provider's words are cut within an emoji", () => {
  const aStage = gateStages();

  it("is settled all the same, once", async () => {
    const stage = await aStage();
    await stage.account("a");
    await stage.put("a", 1);
    const pairs = await stage.released();
    await stage.begin(pairs);
    expect(await stage.settle(pairs, "failed", { reason: "HTTP 400: party \ud83c", suppress: "\udf89" })).toEqual([
      "ok",
    ]);
    expect(await stage.state("m1")).toBe("failed");
    expect((await stage.fields("x:m1"))["reason"]).toBe("HTTP 400: party \ufffd");
  });
});

describe("canceling", () => {
  const aStage = gateStages();

  it("ends what has not left, in whatever state, and frees its hold", async () => {
    const stage = await aStage();
    await stage.account("a");
    const [scheduled = ""] = await stage.put("a", 1, { sendAt: HOUR });
    const [released = ""] = await stage.put("a", 1);
    await stage.released();
    const [queued = ""] = await stage.put("a", 1);
    expect(await stage.cancel(scheduled, queued, released)).toEqual(["ok", "ok", "ok"]);
    expect(await stage.cancel(scheduled, queued, released)).toEqual(Array(3).fill("already_final"));
    expect(await stage.held("A|a")).toBe(0);
    expect(await sums(stage)).toEqual({ queued: 0, throttled: 0, scheduled: 0, released: 0, sending: 0 });
    await stage.at(2 * HOUR);
    expect(await stage.drain()).toEqual([]);
  });

  it("is refused for what is being sent, has ended, or is another account's", async () => {
    const stage = await aStage();
    await stage.account("a");
    await stage.account("b");
    const [id = ""] = await stage.put("a", 1);
    const [other = ""] = await stage.put("b", 1);
    const pairs = (await stage.released()).filter((pair) => pair.id === id);
    await stage.begin(pairs);
    expect(await stage.cancel(id, other, "m999")).toEqual(["already_sending", "unknown", "unknown"]);
    await stage.settle(pairs, "sent");
    expect(await stage.cancel(id)).toEqual(["already_final"]);
  });

  it("page by page empties an account that was removed, though some of it was being sent meanwhile", async () => {
    const stage = await aStage();
    await stage.account("a");
    await stage.put("a", 30);
    const pairs = await stage.released();
    await stage.begin(pairs.slice(0, 1));
    await stage.redis.hset(`${stage.cell}acc:a`, "removed", 1);
    const left: number[] = [];
    for (let page = 0; page < 4; page++) left.push(await cancelSome(stage.scripts, "a", 10));
    expect(left).toEqual([21, 11, 1, 1]);
    await stage.settle(pairs.slice(0, 1), "later");
    for (let page = 0; page < 4; page++) left.push(await cancelSome(stage.scripts, "a", 10));
    expect(left.at(-1)).toBe(0);
  });
});

describe("what has ended", () => {
  const aStage = gateStages();

  it("leaves Redis when its retention is over: the keys are those of a cell that never sent anything", async () => {
    const stage = await aStage();
    await stage.account("a");
    const keys = async (): Promise<string[]> => {
      const lasting = /(use|q|ac|stat|rate|clock|seq|test_clock)(:|$)/;
      return (await stage.redis.keys(`${stage.cell}*`))
        .map((key) => key.slice(stage.cell.length))
        .filter((key) => !lasting.test(key))
        .sort();
    };
    const before = await keys();
    await openBatch(stage.scripts, { id: "b1", account: "a", channel: "email", total: 10, template: "{}" });
    const ids = await stage.put("a", 10, { batch: "b1", expiresAt: 1_000 });
    await stage.put("a", 2, { sendAt: 500, channel: "sms" });
    await stage.cancel(ids[1] ?? "");
    const pairs = await stage.released();
    await stage.begin(pairs.slice(0, 5));
    await stage.settle(pairs.slice(0, 3), "sent");
    await stage.settle(pairs.slice(3, 4), "failed");
    await stage.at(1_000);
    await stage.drain("sms");
    await stage.expire();
    await stage.settle(pairs.slice(4, 5), "uncertain", { mostTries: 1 });
    expect((await stage.tick()).purge).toBe(false);
    expect(await stage.purge()).toEqual({ bodies: 0, records: 0, more: false });
    await stage.at(DAY + 1_000);
    expect((await stage.tick()).purge).toBe(true);
    expect(await stage.purge(5)).toEqual({ bodies: 5, records: 0, more: true });
    expect(await stage.purge()).toEqual({ bodies: 7, records: 0, more: false });
    expect((await stage.redis.get(`${stage.cell}m:${ids[0]}`))?.split("\n")).toEqual([expect.any(String), "{}", ""]);
    expect(await stage.fields("bat:b1")).not.toHaveProperty("template");
    await stage.at(7 * DAY + 999);
    expect((await stage.purge()).records).toBeLessThan(12);
    await stage.at(7 * DAY + 1_000);
    await stage.purge();
    expect(await keys()).toEqual(before);
  });

  it("of a bulk that broke off, and is kept for less than a day, goes when the day is over, unless the rest comes", async () => {
    const stage = await aStage();
    await stage.account("a");
    const hours = { bodies: milliseconds(HOUR), records: milliseconds(2 * HOUR) };
    const [first = ""] = await stage.put("a", 2, { bulk: true, total: 4 });
    const seed = first.slice(4, 25) as IdSeed;
    const batchId = idOf("bat", seed);
    const stayFor = () =>
      Promise.all(["", ":rows"].map((part) => stage.redis.pttl(`${stage.cell}bat:${batchId}${part}`)));
    await stage.drain();
    await stage.at(2 * HOUR);
    await purge(stage.scripts, hours);
    for (const length of await stayFor()) {
      expect(length).toBeGreaterThan(21 * HOUR);
      expect(length).toBeLessThanOrEqual(22 * HOUR);
    }

    const texts = { sender: "s0@x.org", recipient: "r@y.org", sendAt: null, expiresAt: null, kept: "{}", body: "{}" };
    const rest = [2, 3].map((n) => ({ ...texts, id: idOf("msg", seed, n), channel: "email", class: "low" }) as const);
    await accept(stage.scripts, "a", 1e9, batchId, rest);
    expect(await stayFor()).toEqual([-1, -1]);
    expect((await stage.drain()).toSorted()).toEqual(rest.map(({ id }) => id));
    await stage.at(4 * HOUR);
    await purge(stage.scripts, hours);
    expect(await stage.redis.keys(`${stage.cell}bat:*`)).toEqual([]);
  });

  it("is counted once in its batch, by how it ended, and late good news moves it", async () => {
    const stage = await aStage();
    await stage.account("a");
    await openBatch(stage.scripts, { id: "b1", account: "a", channel: "sms", total: 6, template: null });
    const ids = await stage.put("a", 6, { batch: "b1", channel: "sms", expiresAt: 30_000 });
    const pairs = await stage.released("sms");
    await stage.begin(pairs.slice(0, 4));
    await stage.settle(pairs.slice(0, 1), "sent");
    await stage.settle(pairs.slice(1, 2), "failed");
    await stage.cancel(ids[4] ?? "");
    await stage.at(26_000);
    await stage.reap();
    await stage.settle(pairs.slice(2, 3), "sent");
    await stage.at(30_000);
    await stage.expire();
    for (const ms of [15_000, 60_000, 300_000]) {
      await stage.at(26_000 + ms);
      await stage.ask("unknown");
    }
    expect(await stage.fields("bat:b1")).toMatchObject({
      "n:sent": "2",
      "n:failed": "1",
      "n:canceled": "1",
      "n:uncertain": "1",
      "n:expired": "1",
    });
    expect((await stage.fields("acc:a"))["open"]).toBe("0");
  });
});

describe("the sums over a channel", () => {
  const aStage = gateStages();

  it("say how many wait, are held up by a quota, are scheduled, released and being sent", async () => {
    const stage = await aStage();
    await stage.account("a");
    await stage.account("b");
    await stage.account("c");
    await stage.limit("A|b", { hour: 0 });
    await stage.limit("S|c|email|slow@x.org", { hour: 1 });
    await stage.put("a", 1, { sendAt: HOUR });
    await stage.put("b", 5);
    await stage.put("c", 4, { sender: "slow@x.org" });
    await stage.put("c", 2, { sender: "other@x.org" });
    const pairs = await stage.released();
    await stage.begin(pairs.slice(0, 1));
    expect(pairs).toHaveLength(3);
    const truth = { queued: 8, throttled: 8, scheduled: 1, released: 2, sending: 1 };
    expect(await sums(stage)).toEqual(truth);
    await stage.put("b", 1);
    await stage.put("c", 1, { sender: "slow@x.org" });
    expect(await sums(stage)).toEqual({ ...truth, queued: 10, throttled: 10 });
    await stage.limit("A|b", { hour: null });
    expect(await sums(stage)).toEqual({ ...truth, queued: 10, throttled: 4 });
    expect(await sums(stage, "ac:b:email")).toMatchObject({ queued: 6, throttled: 0 });
  });
});
