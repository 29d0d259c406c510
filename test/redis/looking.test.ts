/** What is told of many messages at once adds up with what became of each. */
import { describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { milliseconds } from "../../src/domain/time.ts";
import { batchesOn } from "../../src/gate/batches.ts";
import { listing } from "../../src/gate/listing.ts";
import { queueReports } from "../../src/gate/queue-report.ts";
import type { Queues } from "../../src/queue/queues.ts";
import { keysOf } from "../../src/redis/keys.ts";
import { accept } from "../../src/redis/scripts/accept.ts";
import { standing } from "../../src/redis/scripts/standing.ts";
import { stagesOfOne } from "../support/gate-cell.ts";
import { DAY, T0, type Stage } from "../support/gate-stage.ts";

const aStage = stagesOfOne();

describe("the counts of a batch", () => {
  it("know of those whose records are gone while others of it wait", async () => {
    const stage = await aStage();
    const { redis, scripts, cell } = stage;
    await stage.limit("C|a|email", { month: 6 });
    const ids = await stage.put("a", 10, { bulk: true });
    const batch = ids[0]!.replace("msg", "bat").replace(/.$/, "0");
    const counts = async () => (await batchesOn({ redis, scripts, keys: keysOf(cell) }).counts("a", batch))?.counts;
    expect(await stage.cancel(ids[9]!)).toEqual(["ok"]);
    expect(await stage.drain()).toHaveLength(6);
    const whole = { sent: 6, throttled: 3, canceled: 1 };
    expect(await counts()).toEqual(whole);
    await stage.at(DAY);
    await stage.purge();
    await stage.at(7 * DAY);
    // Some of them, then all.
    await stage.purge(4);
    expect(await counts()).toEqual(whole);
    await stage.purge();
    expect(await counts()).toEqual(whole);
  });
});

describe("a page of messages", () => {
  it("that takes several looks repeats nobody when others come meanwhile", async () => {
    const stage = await aStage();
    const { redis, scripts, cell } = stage;
    for (let ms = 0; ms < 25; ms++) {
      await stage.at(ms);
      await stage.put("a", 10);
    }
    // Somebody sends whenever a piece of the index has been read.
    const busy = new Proxy(redis, {
      get: (of, name: keyof Redis) =>
        name === "zrange"
          ? async (...args: Parameters<Redis["zrange"]>) => {
              const found = await of.zrange(...args);
              await stage.at(stage.now() + 1);
              await stage.put("a", 7);
              return found;
            }
          : of[name],
    });
    const list = listing(busy, scripts, keysOf(cell));
    const { items } = await list("a", {}, null, 200);
    expect(items).toHaveLength(200);
    expect(new Set(items.map(({ id }) => id)).size).toBe(200);
  });
});

describe("since when the oldest waits", () => {
  it("is not told of one that was canceled", async () => {
    const stage = await aStage();
    const { redis, scripts, cell } = stage;
    await stage.limit("C|a|email", { day: 0 });
    const ids: string[] = [];
    for (let ms = 0; ms < 150; ms++) {
      await stage.at(ms);
      ids.push(...(await stage.put("a", 1)));
    }
    const oldest = async () => (await queueReports(redis, scripts, keysOf(cell), {} as Queues)("a")).email.oldestAt;
    expect(await oldest()).toBe(T0);
    await stage.cancel(...ids.slice(0, 3));
    expect(await oldest()).toBe(T0 + 3);
    await stage.cancel(...ids.slice(3, 100));
    expect(await oldest()).toBe(T0 + 100);
  });
});

/** How many are listed as throttled and as queued, and how many are in the sums of the account and of all accounts. */
const toldOf = async ({ redis, scripts, cell }: Stage): Promise<readonly number[]> => {
  const keys = keysOf(cell);
  const list = async (status: "queued" | "throttled") =>
    (await listing(redis, scripts, keys)("a", { status }, null, 10)).items.length;
  const reports = queueReports(redis, scripts, keys, { counts: () => Promise.resolve({}) } as unknown as Queues);
  const [own, all] = [(await reports("a")).email, (await reports(null)).email];
  return [await list("throttled"), await list("queued"), own.throttled, own.queued, all.throttled, all.queued];
};

/** One more in bulk: whether its answer says throttled, and what is told of it at once. */
const inBulk = async ({ scripts }: Stage, id: string) => {
  const draft = { channel: "email", class: "low", sender: "s0@x.org", recipient: "r@y.org" } as const;
  const message = { ...draft, id, sendAt: null, expiresAt: null, kept: "", body: "{}" };
  const reply = await accept(scripts, "a", 1_000, null, [message]);
  const [status] = await standing(scripts, "a", [id]);
  return [reply.kind === "accepted" && reply.records[0]?.parked, status];
};

describe("what is out of quota on a channel that its provider has closed", () => {
  it("is queued wherever it is told of, for nothing goes before the provider opens", async () => {
    const stage = await aStage();
    await stage.limit("C|a|email", { hour: 1 });
    await stage.put("a", 4);
    expect(await stage.drain()).toHaveLength(1);
    expect(await toldOf(stage)).toEqual([3, 0, 3, 0, 3, 0]);
    await stage.channel("email", { close: milliseconds(60_000) });
    expect(await toldOf(stage)).toEqual([0, 3, 0, 3, 0, 3]);
    await stage.at(60_000);
    expect(await toldOf(stage)).toEqual([3, 0, 3, 0, 3, 0]);
  });

  it.each(["paused", "closed"])("also in a bulk's answer, and while the account is %s", async (how) => {
    const stage = await aStage();
    await stage.limit("C|a|email", { hour: 1 });
    await stage.put("a", 2);
    await stage.drain();
    expect(await inBulk(stage, "before")).toEqual([true, "throttled"]);
    if (how === "paused") await stage.pause("a", "email", true);
    else await stage.channel("email", { close: milliseconds(60_000) });
    expect(await inBulk(stage, "after")).toEqual([false, "queued"]);
  });
});

describe("what is out of quota, of a sender that its provider has closed", () => {
  const withClosedSender = async (): Promise<Stage> => {
    const stage = await aStage();
    await stage.put("a", 1);
    const pairs = await stage.released();
    await stage.begin(pairs);
    const minute = milliseconds(60_000);
    await stage.settle(pairs, "later", { delay: minute, close: { about: "sender", for: minute } });
    await stage.put("a", 2);
    await stage.release();
    expect(await toldOf(stage)).toEqual([0, 2, 0, 2, 0, 2]);
    expect(await inBulk(stage, "closed")).toEqual([false, "queued"]);
    return stage;
  };

  it("is throttled wherever it is told of, by its sender's quota", async () => {
    const stage = await withClosedSender();
    await stage.limit("S|a|email|s0@x.org", { hour: 0 });
    await stage.release();
    expect(await toldOf(stage)).toEqual([3, 0, 3, 0, 3, 0]);
    expect(await inBulk(stage, "out")).toEqual([true, "throttled"]);
  });

  it("is throttled wherever it is told of, by its account's quota", async () => {
    const stage = await withClosedSender();
    await stage.limit("C|a|email", { hour: 0 });
    await stage.release();
    // Its provider is what its lane waits for: nobody has asked for the quota.
    expect(await toldOf(stage)).toEqual([0, 3, 0, 3, 0, 3]);
    await stage.put("a", 1, { class: "high" });
    await stage.release();
    expect(await toldOf(stage)).toEqual([4, 0, 4, 0, 4, 0]);
    expect(await inBulk(stage, "out")).toEqual([true, "throttled"]);
  });
});
