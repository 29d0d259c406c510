/**
 * A reply that is lost makes the client send its command again. Every script that changes something may be run twice in a
 * row with the same arguments: Redis then holds what it held after the first. (`release` may not: what a lost reply of it
 * let go is the sweeper's.)
 */
import { describe, expect, it } from "@jest/globals";
import { gateStages } from "../support/gate-cell.ts";
import { CASES, set } from "./changing-scripts.ts";
import { dump } from "./model/dump.ts";

describe("sent twice, because a reply was lost,", () => {
  const aStage = gateStages();

  it.each(CASES)("$name leaves what it left the first time", async ({ name, prepare, act }) => {
    const stage = await aStage();
    const pairs = await set(stage);
    await prepare?.(stage, pairs);
    const before = await dump(stage);
    await act(stage, pairs);
    const once = await dump(stage);
    // A script that did nothing proves nothing; `wait` alone is meant to leave no trace.
    if (!name.endsWith("wait")) expect(once).not.toEqual(before);
    await act(stage, pairs);
    expect(await dump(stage)).toEqual(once);
  });
});
