/** Quotas at three levels and in four windows, and what an administrator changes while messages wait. */
import { describe, expect, it } from "@jest/globals";
import { milliseconds } from "../../src/domain/time.ts";
import { WINDOW_KINDS } from "../../src/domain/quota.ts";
import { gateStages } from "../support/gate-cell.ts";
import { DAY, HOUR, row, T0 } from "../support/gate-stage.ts";
import { kinds } from "./model/rule.ts";

const LENGTH = { minute: 60_000, hour: HOUR, day: DAY, month: 20 * DAY };
const NAMES = { "S|a|email|s0@x.org": "sender", "C|a|email": "email", "A|a": "all" };

describe("a quota", () => {
  const aStage = gateStages();
  const cases = Object.entries(NAMES).flatMap(([scope, name]) => WINDOW_KINDS.map((kind) => ({ scope, name, kind })));

  it.each(cases)("of $scope per $kind lets so many go per $kind, and says what holds the rest", async (given) => {
    const { scope, name, kind } = given;
    const stage = await aStage();
    await stage.account("a");
    await stage.limit(scope, { [kind]: 3 });
    await stage.put("a", 8);
    expect(await stage.drain()).toHaveLength(3);
    await stage.at(LENGTH[kind] - 1);
    expect(await stage.drain()).toEqual([]);
    const parked = await stage.fields(name === "sender" ? "ln:a:email:low:s0@x.org" : "ac:a:email");
    expect(parked["held_by"]).toBe(`${name}.${kind}`);
    await stage.at(LENGTH[kind]);
    // A month ahead the zone's hours and days have run out; Node writes them anew.
    if (kind === "month") {
      expect((await stage.release()).staleZones).toEqual(["Z0"]);
      const ahead = [20 * DAY, 50 * DAY];
      await stage.zoneRow("Z0", row({ hour: [19 * DAY, 21 * DAY], day: ahead, month: ahead }));
    }
    expect(await stage.drain()).toHaveLength(3);
  });

  it("of zero stops sending, and none at all lets everything go", async () => {
    const stage = await aStage();
    await stage.account("a");
    await stage.limit("C|a|email", { day: 0 });
    await stage.put("a", 2);
    await stage.put("a", 2, { channel: "sms" });
    expect(await stage.drain()).toEqual([]);
    expect(await stage.drain("sms")).toHaveLength(2);
    await stage.limit("C|a|email", { day: null });
    expect(await stage.drain()).toHaveLength(2);
  });

  it("binds where it is the smallest of the three", async () => {
    const stage = await aStage();
    await stage.account("a");
    await stage.limit("A|a", { hour: 7 });
    await stage.limit("C|a|email", { hour: 5 });
    await stage.limit("S|a|email|one@x.org", { hour: 2 });
    await stage.put("a", 9, { sender: "one@x.org" });
    await stage.put("a", 9, { sender: "two@x.org" });
    await stage.put("a", 9, { channel: "sms" });
    expect(await stage.drain()).toHaveLength(5);
    expect(await stage.used("S|a|email|one@x.org")).toBe(2);
    expect(await stage.drain("sms")).toHaveLength(2);
  });

  it("that is lowered holds for what was released: the newest goes back, not the oldest", async () => {
    const stage = await aStage();
    await stage.account("a");
    const ids = await stage.put("a", 6);
    const pairs = await stage.released();
    await stage.begin(pairs.slice(0, 2));
    await stage.limit("A|a", { hour: 4 });
    expect(kinds(await stage.begin(pairs.slice(2)))).toEqual(["returned", "returned", "go", "go"]);
    await stage.settle([...pairs.slice(0, 2), ...pairs.slice(4)], "sent");
    expect(await stage.drain()).toEqual([]);
    await stage.limit("A|a", { hour: 9 });
    expect(await stage.drain()).toEqual([ids[2], ids[3]]);
  });

  it("is charged in the window in which it was settled, and holds over the top of the hour", async () => {
    const stage = await aStage();
    await stage.account("a");
    await stage.limit("A|a", { hour: 2 });
    await stage.put("a", 6);
    const pairs = await stage.released();
    await stage.at(HOUR - 10);
    await stage.begin(pairs);
    await stage.at(HOUR + 10);
    expect(await stage.released()).toEqual([]);
    await stage.settle(pairs, "sent");
    expect(await stage.drain()).toEqual([]);
    await stage.at(2 * HOUR);
    expect(await stage.drain()).toHaveLength(2);
  });
});

describe("a rate", () => {
  const aStage = gateStages();

  it("of a sender says that it holds its lane up, and until when", async () => {
    const stage = await aStage();
    await stage.account("a");
    await stage.senderRate("a", 10_000);
    await stage.put("a", 2);
    await stage.begin(await stage.released());
    await stage.released();
    expect(await stage.fields("ln:a:email:low:s0@x.org")).toMatchObject({
      held_by: "rate",
      until: String(T0 + 9_950),
    });
  });

  it("that is lifted acts at once", async () => {
    const stage = await aStage({ hands: 50 });
    await stage.account("a");
    await stage.channel("email", { interval: milliseconds(60_000) });
    await stage.put("a", 9);
    await stage.begin(await stage.released());
    expect(await stage.released()).toHaveLength(1);
    await stage.channel("email", { interval: null });
    expect(await stage.released()).toHaveLength(7);
  });
});
