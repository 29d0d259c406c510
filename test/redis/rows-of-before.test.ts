/** Rows were hashes before they were packed: a cell that holds some goes on as if nothing had been. */
import { expect, it } from "@jest/globals";
import { gateStages } from "../support/gate-cell.ts";
import { milliseconds } from "../../src/domain/time.ts";
import { HOUR, type Stage } from "../support/gate-stage.ts";
import { dump } from "./model/dump.ts";

const aStage = gateStages();

const played = async (between: (stage: Stage) => Promise<void>): Promise<Record<string, unknown>> => {
  const stage = await aStage();
  const steps: (() => Promise<unknown>)[] = [
    () => stage.account("a"),
    () => stage.limit("C|a|email", { hour: 3, day: 10 }),
    () => stage.senderRate("a", 1),
    () => stage.channel("email", { interval: milliseconds(0.25) }),
    () => stage.put("a", 5),
    () => stage.put("a", 1, { sendAt: HOUR }),
    async () => {
      const pairs = await stage.released();
      await between(stage);
      await stage.begin(pairs, "0012e3");
      await between(stage);
      expect(await stage.settle(pairs, "sent", {}, "0012e3")).toEqual(pairs.map(() => "ok"));
    },
    () => stage.at(HOUR),
    () => stage.drain(),
    () => stage.pause("a", "email", true),
  ];
  for (const step of steps) {
    await step();
    await between(stage);
  }
  expect(await stage.used("C|a|email", "day")).toBe(6);
  await stage.asBefore();
  return dump(stage);
};

it("is read as it is, and ends the same", async () => {
  let found = 0;
  const before = await played(async (stage) => void (found += await stage.asBefore()));
  expect(found).toBeGreaterThan(30);
  expect(before).toEqual(await played(async () => {}));
});
