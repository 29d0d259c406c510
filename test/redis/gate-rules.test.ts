/**
 * The rules of the gate, each as what breaks without it, on the real scripts; gate-ablation.test.ts takes each one out.
 * Rule 16 (failover: WAIT after accept and begin) belongs to the connection, not to the scripts, and is not here.
 */
import { describe, it } from "@jest/globals";
import { gateStages } from "../support/gate-cell.ts";
import { RULES } from "./model/rules.ts";

describe("the rules of the gate", () => {
  const aStage = gateStages();
  it.each(RULES)("rule $of: $name", async (rule) => {
    await rule.check(await aStage(rule.stage));
  });
});
