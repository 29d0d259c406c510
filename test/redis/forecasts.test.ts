/** What is told of a waiting message, and when it goes if nothing else happens. */
import { describe, expect, it } from "@jest/globals";
import { milliseconds } from "../../src/domain/time.ts";
import { acceptingOn, type AcceptingParts } from "../../src/gate/accepting.ts";
import { queueReports } from "../../src/gate/queue-report.ts";
import { standingOf, viewOf } from "../../src/gate/view.ts";
import { keysOf } from "../../src/redis/keys.ts";
import { acceptEach } from "../../src/redis/scripts/accept.ts";
import { look } from "../../src/redis/scripts/look.ts";
import type { Queues } from "../../src/queue/queues.ts";
import { stagesOfOne } from "../support/gate-cell.ts";
import { HOUR, T0, type Stage } from "../support/gate-stage.ts";

const MINUTE = 60_000;

describe("a forecast comes true", () => {
  const aStage = stagesOfOne();

  /** In ms after T0. */
  const toldOf = async (stage: Stage, id: string): Promise<number | null> => {
    const seen = await look(stage.scripts, "a", { id });
    const at = seen && viewOf(id, seen).estimatedSendAt;
    return at === null ? null : at - T0;
  };

  /** As the one who sends it is told; in ms after T0. */
  const answeredOn = async (stage: Stage, id: string, sender = "s0@x.org"): Promise<number | null> => {
    const draft = { id, channel: "email", class: "low", sender, recipient: "r@y.org", kept: "", body: "{}" } as const;
    const messages = [{ ...draft, sendAt: null, expiresAt: null }];
    const request = { account: "a", backlogCap: 1_000, batchId: null, messages, told: true };
    const [reply] = await acceptEach(stage.scripts, [request]);
    if (reply?.kind !== "accepted") throw new Error("expected it to be accepted");
    const [record] = reply.records;
    const { estimatedSendAt: at } = standingOf(record!.seen!, {
      number: record!.number,
      channel: "email",
      class: "low",
    });
    return at === null ? null : at - T0;
  };

  /** As `on_late` asks before it is accepted; in ms after T0. */
  const expectedOn = async ({ scripts }: Stage, sender: string): Promise<number | null> => {
    const { estimating } = acceptingOn({ scripts } as AcceptingParts);
    const content = { body: "" };
    const draft = { channel: "email", class: "low", sender, recipient: "r@y.org", content } as const;
    const at = await estimating("a")(draft, { inLane: 0, urgent: 0, urgentOfSender: 0, besides: 0, lanes: 0 });
    return at === null ? null : at - T0;
  };

  const queueOf = async (stage: Stage, account: string) => {
    const { redis, scripts, cell } = stage;
    return (await queueReports(redis, scripts, keysOf(cell), {} as Queues)(account)).email;
  };

  /** Moves the clock by so much at a time until it has gone. */
  const goneAt = async (stage: Stage, id: string, step: number): Promise<number> => {
    for (let ms = stage.now(); ; ms += step) {
      await stage.at(ms);
      if ((await stage.drain()).includes(id)) return ms;
      if (ms > 72 * HOUR) throw new Error("expected it to go within three days");
    }
  };

  it("where its sender has something more urgent, which needs the sender's quota first", async () => {
    const stage = await aStage();
    await stage.limit("S|a|email|s0@x.org", { hour: 2 });
    await stage.put("a", 5, { class: "high" });
    await stage.put("a", 1, { class: "normal" });
    await stage.put("a", 1, { class: "normal", sender: "other@x.org" });
    // Two urgent ones an hour; the third hour is the last one's and the normal one's.
    expect(await answeredOn(stage, "late")).toBe(3 * HOUR);
    await stage.drain();
    expect(await toldOf(stage, "late")).toBe(3 * HOUR);
    expect(await goneAt(stage, "late", HOUR)).toBe(3 * HOUR);
  });

  it("where its sender has something more urgent, which has the sender's rate first", async () => {
    const stage = await aStage();
    await stage.senderRate("a", MINUTE);
    await stage.put("a", 3, { class: "high" });
    expect(await answeredOn(stage, "late")).toBe(3 * MINUTE);
    expect(await goneAt(stage, "late", MINUTE)).toBe(3 * MINUTE);
  });

  it("where the hour ends before the rate has let go all that it has room for", async () => {
    const stage = await aStage();
    await stage.at(30 * MINUTE);
    await stage.limit("C|a|email", { hour: 5 });
    await stage.senderRate("a", 10 * MINUTE);
    await stage.put("a", 9);
    // Three in what is left of this hour, five in the next.
    expect(await answeredOn(stage, "last")).toBe(130 * MINUTE);
    expect(await goneAt(stage, "last", 10 * MINUTE)).toBe(130 * MINUTE);
  });

  it("where what has been released takes one of the slots that are left in the hour", async () => {
    const stage = await aStage();
    await stage.at(30 * MINUTE);
    await stage.limit("C|a|email", { hour: 5 });
    await stage.channel("email", { interval: milliseconds(10 * MINUTE) });
    const [, , , , , , , , last = ""] = await stage.put("a", 9);
    expect(await stage.released()).toHaveLength(1);
    // Two more in this hour, five in the next.
    expect(await toldOf(stage, last)).toBe(2 * HOUR);
  });

  it.each(["sender", "channel"])("where the last slot of the %s's rate was had a moment ago", async (whose) => {
    const stage = await aStage();
    if (whose === "sender") await stage.senderRate("a", MINUTE);
    else await stage.channel("email", { interval: milliseconds(MINUTE) });
    await stage.put("a", 1);
    await stage.drain();
    await stage.at(10_000);
    expect(await answeredOn(stage, "first")).toBe(MINUTE);
    expect(await answeredOn(stage, "second")).toBe(2 * MINUTE);
    await stage.release();
    expect(await toldOf(stage, "second")).toBe(2 * MINUTE);
  });

  it("of a sender that had nothing waiting, behind those whose turn comes before, told before it is accepted as well", async () => {
    const stage = await aStage();
    await stage.limit("C|a|email", { hour: 1 });
    await stage.put("a", 1);
    await stage.drain();
    await stage.put("a", 1);
    await stage.release();
    expect(await expectedOn(stage, "new@x.org")).toBe(2 * HOUR);
    expect(await answeredOn(stage, "new", "new@x.org")).toBe(2 * HOUR);
    expect(await goneAt(stage, "new", HOUR)).toBe(2 * HOUR);
  });

  it("of an account that had nothing waiting, behind another's whose turn comes before, told before it is accepted as well", async () => {
    const stage = await aStage();
    await stage.account("b");
    await stage.channel("email", { interval: milliseconds(MINUTE) });
    await stage.put("b", 1);
    expect(await expectedOn(stage, "s0@x.org")).toBe(MINUTE);
    expect(await answeredOn(stage, "new")).toBe(MINUTE);
    expect(await stage.begin(await stage.released())).toMatchObject([{ kind: "go", account: "b", slotIn: 0 }]);
    const next = await stage.released();
    expect(await stage.begin(next)).toMatchObject([{ kind: "wait" }]);
    await stage.at(MINUTE);
    expect(await stage.begin(next)).toMatchObject([{ kind: "go", account: "a", slotIn: 0 }]);
  });

  it("of a whole queue, of which some has been released and holds its quota already", async () => {
    const stage = await aStage();
    await stage.channel("email", { interval: milliseconds(1_000) });
    await stage.limit("C|a|email", { hour: 10 });
    await stage.put("a", 10);
    expect(await stage.released()).toHaveLength(2);
    expect((await queueOf(stage, "a")).drainsAt).toBe(T0 + 9_000);
  });

  it("of a queue all of which has been released, where what it holds is the last of its quota", async () => {
    const stage = await aStage();
    await stage.limit("C|a|email", { hour: 2 });
    await stage.put("a", 2);
    expect(await stage.released()).toHaveLength(2);
    expect((await queueOf(stage, "a")).drainsAt).toBe(T0);
  });

  it("of a queue all of which has been released before the channel was slowed down", async () => {
    const stage = await aStage();
    await stage.put("a", 3);
    expect(await stage.released()).toHaveLength(3);
    await stage.channel("email", { interval: milliseconds(MINUTE) });
    expect((await queueOf(stage, "a")).drainsAt).toBe(T0 + 2 * MINUTE);
  });

  it("behind an account that is paused, of which nothing goes", async () => {
    const stage = await aStage();
    for (const other of ["b", "c"]) await stage.account(other, { zone: "UTC" });
    await stage.channel("email", { interval: milliseconds(1_000) });
    await stage.pause("b", "email", true);
    await stage.put("b", 500);
    await stage.release();
    await stage.put("c", 3);
    const ids = await stage.put("a", 50);
    const last = ids.at(-1)!;
    // Those of its own, and the three of the one that takes turns with it.
    expect(await toldOf(stage, last)).toBe(52_000);
  });

  it("of one that is due after its provider opens again, and whose quota others need from then on", async () => {
    const stage = await aStage();
    await stage.limit("C|a|email", { hour: 1 });
    await stage.channel("email", { close: milliseconds(2 * HOUR) });
    await stage.put("a", 3);
    const [id = ""] = await stage.put("a", 1, { sendAt: 3 * HOUR });
    expect(await toldOf(stage, id)).toBe(5 * HOUR);
    expect(await goneAt(stage, id, HOUR)).toBe(5 * HOUR);
  });

  it("of one that has been released, and waits in a worker's hands for the slot of a slow rate", async () => {
    const stage = await aStage();
    await stage.channel("email", { interval: milliseconds(MINUTE) });
    await stage.put("a", 1);
    await stage.drain();
    const [id = ""] = await stage.put("a", 1);
    await stage.at(10_000);
    expect(await stage.released()).toHaveLength(1);
    const standing = async () => {
      const seen = await look(stage.scripts, "a", { id });
      const { status, heldBy, estimatedSendAt } = viewOf(id, seen!);
      return [status, heldBy, estimatedSendAt];
    };
    expect(await standing()).toEqual(["queued", "rate", T0 + MINUTE]);
    expect((await queueOf(stage, "a")).drainsAt).toBe(T0 + MINUTE);
    // It comes back when it is begun.
    await stage.channel("email", { close: milliseconds(HOUR) });
    expect(await standing()).toEqual(["queued", "provider", T0 + 10_000 + HOUR]);
    await stage.pause("a", "email", true);
    expect(await standing()).toEqual(["queued", "paused", null]);
  });
});
