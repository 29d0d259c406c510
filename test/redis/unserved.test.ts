/** What lies in BullMQ for a channel whose last worker has gone, while workers of other channels live. */
import { describe, expect, it } from "@jest/globals";
import type { Channel } from "../../src/domain/channel.ts";
import { sweeperWith } from "../../src/gate/sweeper.ts";
import type { Queues } from "../../src/queue/queues.ts";
import { beat } from "../../src/redis/scripts/beat.ts";
import { giveBack } from "../../src/redis/scripts/give-back.ts";
import { giveBackUntaken } from "../../workers/ending.ts";
import { gateStages } from "../support/gate-cell.ts";
import { HOUR, T0, type Stage } from "../support/gate-stage.ts";

const TEXT = { channel: "sms", sender: "+15005550006", recipient: "+15005550007" } as const;
/** ms: by then a worker that has not beaten since T0 is dead. */
const DEAD = 6_001;

const aStage = gateStages();

/** Moves the clock; only a worker of this one channel beats. */
const only = async (stage: Stage, channel: Channel, ms: number): Promise<void> => {
  await stage.redis.set(`${stage.cell}test_clock`, T0 + ms);
  await beat(stage.scripts, `of ${channel}`, { [channel]: 5 }, true);
};

/** BullMQ has all that it was given, and nobody has taken any of it. */
const queues: Queues = {
  add: async () => {},
  stateOf: async () => "waiting",
  holderOf: async () => null,
  counts: async () => ({}),
  close: async () => {},
};
const sweepOf = ({ scripts }: Stage, worker: string) =>
  sweeperWith({ scripts, queues, holding: { worker, has: () => false }, pass: () => {} });

/** Five texts fill the hour of their account; a worker of texts has let them go, and had begun none. */
const released = async () => {
  const stage = await aStage();
  await stage.account("a");
  await stage.limit("A|a", { hour: 5 });
  const texts = await stage.put("a", 5, TEXT);
  const pairs = await stage.released("sms");
  expect(pairs).toHaveLength(5);
  return { stage, texts, pairs };
};

const mailsGo = async (stage: Stage): Promise<number> => {
  await stage.put("a", 3);
  const pairs = await stage.released();
  await stage.begin(pairs);
  await stage.settle(pairs, "sent");
  return pairs.length;
};

describe("a channel that nobody serves any more", () => {
  it("leaves the account's quota to its other channels when its last worker stops", async () => {
    const { stage } = await released();
    await stage.beat(false);
    await only(stage, "email", 1_000);
    expect(await giveBackUntaken(stage.scripts)).toBe(5);
    expect(await stage.held("A|a")).toBe(0);
    expect(await mailsGo(stage)).toBe(3);
  });

  it("leaves it to them when its last worker was killed, once another has not heard of it for six seconds", async () => {
    const { stage } = await released();
    const sweep = sweepOf(stage, "of email");
    await only(stage, "email", DEAD - 2);
    await sweep();
    expect(await stage.held("A|a")).toBe(5);
    await only(stage, "email", DEAD);
    expect(await sweep()).toBe(0);
    expect(await stage.held("A|a")).toBe(0);
    expect(await mailsGo(stage)).toBe(3);
  });

  it("has nothing released while nobody serves it, and goes on in order when somebody does", async () => {
    const { stage, texts, pairs } = await released();
    const more = await stage.put("a", 2, TEXT);
    const sweep = sweepOf(stage, "of email");
    await only(stage, "email", DEAD);
    await sweep();
    expect(await stage.released("sms")).toEqual([]);
    expect((await stage.tick()).ready).toEqual([]);

    await only(stage, "sms", HOUR);
    const anew = await stage.released("sms");
    expect(anew).toEqual(texts.map((id) => ({ id, release: 2 })));
    // The jobs of before come first, for they were in BullMQ all the time.
    expect((await stage.begin(pairs)).map(({ kind }) => kind)).toEqual(pairs.map(() => "stale"));
    expect((await stage.begin(anew)).map(({ kind }) => kind)).toEqual(anew.map(() => "go"));
    await stage.settle(anew, "sent");
    await only(stage, "sms", 2 * HOUR);
    expect((await stage.released("sms")).map(({ id }) => id)).toEqual(more);
  });

  it("keeps its order over many calls, and over messages of one ms whose ids do not tell it", async () => {
    const stage = await aStage({ hands: 20 });
    await stage.account("a");
    const texts = await stage.put("a", 40, TEXT);
    for (let ms = 0; ms < 4; ms++) {
      await stage.at(ms);
      await stage.release("sms", 4, { lanes: 200, messages: 10, pops: 100, promotions: 100, workUs: 1e6 });
    }
    await stage.beat(false);
    const calls: number[] = [];
    do calls.push(await giveBack(stage.scripts, "sms", 3));
    while (calls.at(-1) !== 0);
    expect(calls).toEqual([10, 10, 10, 10, 0]);
    await stage.at(10);
    expect(await stage.drain("sms")).toEqual(texts);
  });

  it("keeps what was begun: an attempt that is under way is its worker's, or the reaper's", async () => {
    const { stage, pairs } = await released();
    await stage.begin(pairs.slice(0, 2));
    await only(stage, "email", DEAD);
    await sweepOf(stage, "of email")();
    expect(await stage.held("A|a")).toBe(2);
    expect(await stage.settle(pairs.slice(0, 2), "sent")).toEqual(["ok", "ok"]);
  });
});

describe("a channel whose workers may live", () => {
  it("is left alone by a worker that has not beaten itself: Redis was away, or the clock has leapt", async () => {
    const { stage } = await released();
    await stage.redis.set(`${stage.cell}test_clock`, T0 + HOUR);
    await sweepOf(stage, "of email")();
    expect(await stage.held("A|a")).toBe(5);
  });

  it("is left alone by one that stops, and by one that sweeps, while another of its workers lives", async () => {
    const { stage } = await released();
    await stage.beat(true, "another");
    await stage.beat(false);
    expect(await giveBackUntaken(stage.scripts)).toBe(0);
    await only(stage, "email", 5_000);
    await sweepOf(stage, "of email")();
    expect(await stage.held("A|a")).toBe(5);
  });

  it("is left alone after a failover until the workers have said what they know", async () => {
    const { stage } = await released();
    await stage.elsewhere();
    await only(stage, "email", DEAD);
    await sweepOf(stage, "of email")();
    expect(await stage.held("A|a")).toBe(5);
  });
});
