/** How a message is written down, and that what the version before wrote down is still a message. */
import { describe, expect, it } from "@jest/globals";
import { CHANNELS, CLASSES } from "../../src/domain/channel.ts";
import { batchIds } from "../../src/gate/batch-ids.ts";
import { readRecord } from "../../src/gate/record.ts";
import { idOf, numberOf, type IdSeed } from "../../src/domain/id.ts";
import { cancel } from "../../src/redis/scripts/cancel.ts";
import { openBatch } from "../../src/redis/scripts/open-batch.ts";
import { accept, acceptEach, type AcceptMessage } from "../../src/redis/scripts/accept.ts";
import { keysOf } from "../../src/redis/keys.ts";
import { restore } from "../../src/redis/scripts/failover-restore.ts";
import { look } from "../../src/redis/scripts/look.ts";
import { standing } from "../../src/redis/scripts/standing.ts";
import { instant, milliseconds } from "../../src/domain/time.ts";
import { gateStages } from "../support/gate-cell.ts";
import { DAY, HOUR, REAP_IN, T0, type Stage } from "../support/gate-stage.ts";

const CONTENT = { from: "s0@x.org", to: "r@y.org", subject: "Hello", text: "100 %s\n" };
const message = (id: string, more: Partial<AcceptMessage> = {}): AcceptMessage => ({
  id,
  channel: "email",
  class: "low",
  sender: "s0@x.org",
  recipient: "r@y.org",
  sendAt: null,
  expiresAt: null,
  kept: "",
  body: '{"subject":"Hello","text":"100 %s\\n"}',
  ...more,
});

const told = async (stage: Stage, id: string) => {
  const seen = await look(stage.scripts, "a", { id });
  if (!seen) throw new Error(`expected ${id} to be there`);
  return readRecord(seen.record);
};

/** As the version before wrote it: ten words, what is kept, the whole body. */
const asBefore = async (stage: Stage, id: string): Promise<void> => {
  const seen = await look(stage.scripts, "a", { id });
  const [header = "", kept = ""] = (seen?.record ?? "").split("\n");
  expect(header.split(" ")).toHaveLength(10);
  await stage.redis.set(`${stage.cell}m:${id}`, `${header}\n${kept || "{}"}\n${JSON.stringify(CONTENT)}`);
};

describe("a message's record", () => {
  const aStage = gateStages();

  it("tells of every channel and class, with its times and without, what was accepted", async () => {
    const stage = await aStage();
    await stage.account("a");
    const times = [null, instant(T0 + HOUR)] as const;
    const messages = CHANNELS.flatMap((channel) =>
      CLASSES.flatMap((klass) =>
        times.flatMap((sendAt) => times.map((expiresAt) => ({ channel, class: klass, sendAt, expiresAt }))),
      ),
    ).map((more, n) => message(`n${n}`, { ...more, kept: n % 2 ? '{"reference":"r 1"}' : "" }));
    for (const batch of [null, "b1"]) {
      const named = messages.map((one) => ({ ...one, id: `${batch ?? "-"}${one.id}` }));
      await accept(stage.scripts, "a", 1e9, batch, named);
      for (const [n, one] of named.entries())
        expect(await told(stage, one.id)).toMatchObject({
          account: "a",
          channel: one.channel,
          class: one.class,
          sender: "s0@x.org",
          recipient: "r@y.org",
          createdAt: T0,
          sendAt: one.sendAt,
          expiresAt: one.expiresAt,
          batchId: batch,
          reference: n % 2 ? "r 1" : null,
          metadata: null,
          content: CONTENT,
        });
    }
  });

  it("of the version before goes the whole way: begun, settled, told of, purged", async () => {
    const stage = await aStage();
    await stage.account("a");
    const ids = await stage.put("a", 3, { batch: "b1", expiresAt: DAY });
    await stage.put("a", 1, { sendAt: HOUR, channel: "sms" });
    for (const id of [...ids, "m4"]) await asBefore(stage, id);
    expect(await told(stage, ids[0] ?? "")).toMatchObject({ content: CONTENT, batchId: "b1", number: 1 });
    expect(await standing(stage.scripts, "a", ids)).toEqual(["queued", "queued", "queued"]);
    expect(await stage.cancel(ids[2] ?? "")).toEqual(["ok"]);

    const pairs = await stage.released();
    const begun = await stage.begin(pairs);
    expect(begun).toHaveLength(2);
    expect(begun[0]).toMatchObject({ kind: "go", recipient: "r@y.org", batchId: "b1", body: JSON.stringify(CONTENT) });
    expect(await stage.settle(pairs, "sent")).toEqual(["ok", "ok"]);
    expect(await stage.used("A|a")).toBe(2);

    await stage.at(HOUR);
    expect((await stage.tick()).ready).toEqual(["sms"]);
    expect(await stage.drain("sms")).toEqual(["m4"]);
    await stage.at(DAY + HOUR);
    expect(await stage.purge()).toMatchObject({ bodies: 4 });
    expect(await told(stage, ids[0] ?? "")).toMatchObject({ batchId: "b1", content: null, createdAt: T0 });
    await stage.at(8 * DAY);
    expect(await stage.purge()).toMatchObject({ records: 4 });
    expect(await stage.redis.keys(`${stage.cell}[mx]:*`)).toEqual([]);
  });

  it("says nothing twice: of a short mail little more than what only it can say", async () => {
    const stage = await aStage();
    await stage.account("a");
    await accept(stage.scripts, "a", 1e9, null, [message("n1")]);
    const text = await stage.redis.get(`${stage.cell}m:n1`);
    expect(text).toBe(`+1 a el ${T0.toString(16)} s0@x.org r@y.org\n\n${message("n1").body}`);
  });
});

describe("a bulk's records", () => {
  const aStage = gateStages();
  const seed = "01ARZ3NDEKTSV4RRFFQ69" as IdSeed;
  const batchId = idOf("bat", seed);
  const idAt = (n: number): string => idOf("msg", seed, n);
  const body = (n: number): string => `[{"name":"N${n}"}]`;
  const bulk = (count: number): AcceptMessage[] =>
    Array.from({ length: count }, (_, n) => message(idAt(n), { recipient: `r${n}@y.org`, body: body(n) }));
  const take = (stage: Stage, messages: readonly AcceptMessage[]) => accept(stage.scripts, "a", 1e9, batchId, messages);
  const rowsOf = (stage: Stage) => stage.redis.lrange(`${stage.cell}bat:${batchId}:rows`, 0, -1);
  const keysLike = async (stage: Stage, pattern: string): Promise<string[]> =>
    (await stage.redis.keys(stage.cell + pattern)).map((key) => key.slice(stage.cell.length)).toSorted();

  /** A stage with an account, and the batch opened for so many. */
  const opened = async (total: number): Promise<Stage> => {
    const stage = await aStage();
    await stage.account("a");
    const [shared = message("")] = bulk(1);
    const template = '{"text":"hi"}';
    await openBatch(stage.scripts, { id: batchId, account: "a", channel: "email", template, total, shared });
    return stage;
  };
  /** Sends all that waits; the numbers of those that went. */
  const sendAll = async (stage: Stage): Promise<number[]> => {
    const gone: number[] = [];
    for (;;) {
      const pairs = await stage.released();
      if (pairs.length === 0) return gone;
      const begun = await stage.begin(pairs);
      for (const [at, { id }] of pairs.entries())
        expect(begun[at]).toMatchObject({ kind: "go", account: "a", recipient: `r${numberOf(id)}@y.org`, batchId });
      await stage.settle(pairs, "sent");
      gone.push(...pairs.map(({ id }) => numberOf(id)));
    }
  };
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

  it("are rows of what is each one's own, and go the whole way", async () => {
    const stage = await opened(120);
    for (const from of [0, 50, 100]) await take(stage, bulk(120).slice(from, from + 50));
    expect(await keysLike(stage, "m:*")).toEqual([]);
    expect((await rowsOf(stage))[119]).toBe(`=120 0 r119@y.org\n\n${body(119)}`);
    const whole = { account: "a", channel: "email", class: "low", sender: "s0@x.org", recipient: "r77@y.org" };
    const times = { createdAt: T0, sendAt: null, expiresAt: null };
    const content = { to: "r77@y.org", variables: { name: "N77" } };
    expect(await told(stage, idAt(77))).toMatchObject({ ...whole, ...times, number: 78, batchId, content });
    expect((await cancel(stage.scripts, "a", [idAt(3)]))[0]?.result).toBe("ok");
    expect(await sendAll(stage)).toEqual(upTo(120).filter((n) => n !== 3));

    await stage.at(DAY);
    expect(await stage.purge(120)).toMatchObject({ bodies: 120 });
    expect(await stage.fields(`bat:${batchId}`)).not.toHaveProperty("template");
    expect(await told(stage, idAt(77))).toMatchObject({ ...whole, content: null });
    await stage.at(7 * DAY);
    expect(await stage.purge(119)).toMatchObject({ records: 119 });
    expect(await look(stage.scripts, "a", { id: idAt(77) })).toBeNull();
    expect(await stage.purge()).toMatchObject({ records: 1 });
    expect([...(await keysLike(stage, "[mx]:*")), ...(await keysLike(stage, "bat:*"))]).toEqual([]);
  });

  it("answer to their own ids alone", async () => {
    const stage = await opened(20);
    await take(stage, bulk(20));
    const own = idAt(17);
    for (const id of [
      own.replace("msg", "bat"),
      own.replace(/.$/, "i"),
      own.replace(/.$/, "I"),
      own.replace(/.$/, "!"),
    ])
      expect(await look(stage.scripts, "a", { id })).toBeNull();
    expect(await look(stage.scripts, "b", { id: own })).toBeNull();
  });

  it("are each its own where it differs from the rest, or is long, and all are told of alike", async () => {
    const stage = await opened(6);
    const [plain, high, other, late, long, last] = bulk(6) as [AcceptMessage, ...AcceptMessage[]];
    const messages = [
      plain,
      { ...high, class: "high" },
      { ...other, sender: "s1@x.org" },
      { ...late, expiresAt: instant(T0 + HOUR) },
      { ...long, body: JSON.stringify([{ name: "N".repeat(512) }]) },
      last,
    ] as AcceptMessage[];
    await take(stage, messages);
    expect(await keysLike(stage, "m:*")).toEqual([1, 2, 3, 4].map((n) => `m:${idAt(n)}`));
    expect((await rowsOf(stage)).map((row) => row !== "")).toEqual([true, false, false, false, false, true]);
    for (const [n, one] of messages.entries())
      expect(await told(stage, idAt(n))).toMatchObject({
        class: one.class,
        sender: one.sender,
        expiresAt: one.expiresAt,
        batchId,
        content: { to: `r${n}@y.org`, variables: (JSON.parse(one.body) as unknown[])[0] },
      });
    expect((await sendAll(stage)).toSorted()).toEqual(upTo(6));
    await stage.at(7 * DAY);
    while ((await stage.purge()).more);
    expect([...(await keysLike(stage, "[mx]:*")), ...(await keysLike(stage, "bat:*"))]).toEqual([]);
  });

  it("are the same when a part is accepted again, and when an earlier part was lost in a failover", async () => {
    const stage = await opened(9);
    const [first, second, third] = [0, 3, 6].map((from) => bulk(9).slice(from, from + 3)) as [
      AcceptMessage[],
      AcceptMessage[],
      AcceptMessage[],
    ];
    await take(stage, second);
    expect(await rowsOf(stage)).toEqual([]);
    for (const part of [first, second, third, first, third]) await take(stage, part);
    expect((await rowsOf(stage)).map((row) => row !== "")).toEqual([true, true, true]);
    expect(await stage.fields("acc:a")).toMatchObject({ open: "9" });
    expect(await stage.fields(`bat:${batchId}`)).toMatchObject({ accepted: "9", total: "9" });
    expect((await sendAll(stage)).toSorted()).toEqual(upTo(9));
  });

  it("are the same when several parts come in one call, one of them twice", async () => {
    const stage = await opened(6);
    const part = (from: number) => bulk(6).slice(from, from + 3);
    const asked = { account: "a", backlogCap: 1e9, batchId, told: false };
    const requests = [0, 3, 0].map((from) => ({ ...asked, messages: part(from) }));
    const replies = await acceptEach(stage.scripts, [
      { ...asked, batchId: null, messages: [message("n1")] },
      ...requests,
    ]);
    expect(replies.map(({ kind }) => kind)).toEqual(Array(4).fill("accepted"));
    expect((await rowsOf(stage)).map((row) => row.split(" ")[2]?.split("\n")[0])).toEqual(
      upTo(6).map((n) => `r${n}@y.org`),
    );
    expect(await stage.fields(`bat:${batchId}`)).toMatchObject({ accepted: "6" });
    expect(await stage.fields("acc:a")).toMatchObject({ open: "7" });
  });

  it("go with the last of them where the rest was never accepted, and not within a day", async () => {
    const stage = await opened(100);
    await take(stage, bulk(2));
    expect((await cancel(stage.scripts, "a", [idAt(0)]))[0]?.result).toBe("ok");
    await stage.at(8 * DAY);
    while ((await stage.purge()).more);
    expect(await look(stage.scripts, "a", { id: idAt(0) })).toBeNull();
    expect(await told(stage, idAt(1))).toMatchObject({ recipient: "r1@y.org" });
    expect((await cancel(stage.scripts, "a", [idAt(1)]))[0]?.result).toBe("ok");
    await stage.at(16 * DAY);
    while ((await stage.purge()).more);
    expect([...(await keysLike(stage, "[mx]:*")), ...(await keysLike(stage, "bat:*"))]).toEqual([]);
  });

  it("keep what they share for as long as they wait; a batch without any is gone in a day", async () => {
    const stage = await opened(2);
    const key = `${stage.cell}bat:${batchId}`;
    expect(await stage.redis.ttl(key)).toBeGreaterThan(86_000);
    expect(await stage.redis.ttl(key)).toBeLessThanOrEqual(86_400);
    await take(stage, bulk(1));
    expect(await stage.redis.ttl(key)).toBe(-1);
  });

  it("are not lost with a batch that is not whole, where a worker had to put some of them back", async () => {
    const stage = await opened(4);
    await take(stage, bulk(1));
    const lost = { id: idAt(2), release: 1, token: "T", settled: true, charged: true, begunAgo: milliseconds(0) };
    const of = { account: "a", channel: "email", sender: "s0@x.org", recipient: "r2@y.org" } as const;
    await restore(stage.scripts, REAP_IN, [{ ...lost, ...of, batchId, createdAt: instant(T0), body: body(2) }]);
    expect(await stage.settle([{ id: idAt(2), release: 1 }], "sent")).toEqual(["ok"]);
    await stage.at(9 * DAY);
    while ((await stage.purge()).more);
    expect(await look(stage.scripts, "a", { id: idAt(2) })).toBeNull();
    expect(await told(stage, idAt(0))).toMatchObject({ recipient: "r0@y.org", batchId });
  });

  it("have ids that need no list; a batch of the version before has one, and takes part all the same", async () => {
    const stage = await opened(5);
    await take(stage, bulk(5));
    const keys = keysOf(stage.cell);
    const derived = await batchIds(stage.redis, keys, batchId, await stage.fields(`bat:${batchId}`));
    expect(derived.length).toBe(5);
    expect(await derived.range(1, 2)).toEqual([idAt(1), idAt(2)]);
    expect(await derived.range(3, 99)).toEqual([idAt(3), idAt(4)]);
    expect(await derived.range(0, -1)).toEqual([]);
    const foreign = [idAt(5), idAt(1).slice(0, -1), `${idAt(1).slice(0, -1)}!`, idAt(1).replace("01ARZ", "01ARY")];
    expect(await Promise.all([idAt(4), ...foreign].map(derived.placeOf))).toEqual([4, null, null, null, null]);
    expect(await keysLike(stage, "bat:*:ids")).toEqual([]);

    const before = await stage.put("a", 3, { batch: "b1" });
    await stage.redis.hset(`${stage.cell}bat:b1`, { account: "a", total: 3, records: 3, bodies: 3 });
    const listed = await batchIds(stage.redis, keys, "b1", await stage.fields("bat:b1"));
    expect([listed.length, await listed.range(1, 9), await listed.range(0, -1)]).toEqual([3, before.slice(1), []]);
    expect(await Promise.all([before[2] ?? "", idAt(0)].map(listed.placeOf))).toEqual([2, null]);
  });
});
