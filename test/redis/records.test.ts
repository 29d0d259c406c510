/** How a message is written down, and that what the version before wrote down is still a message. */
import { describe, expect, it } from "@jest/globals";
import { CHANNELS, CLASSES } from "../../src/domain/channel.ts";
import { readRecord } from "../../src/gate/record.ts";
import { accept, type AcceptMessage } from "../../src/redis/scripts/accept.ts";
import { look } from "../../src/redis/scripts/look.ts";
import { standing } from "../../src/redis/scripts/standing.ts";
import { instant } from "../../src/domain/time.ts";
import { gateStages } from "../support/gate-cell.ts";
import { DAY, HOUR, T0, type Stage } from "../support/gate-stage.ts";

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
