/** Every check of gate-rules.test.ts can fail: with the rule taken out of the scripts' text, it does. */
import { describe, expect, it } from "@jest/globals";
import { gateStages } from "../support/gate-cell.ts";
import { RULES } from "./model/rules.ts";

describe("without a rule", () => {
  const aStage = gateStages();
  const cases = RULES.flatMap((rule) => rule.without.map((mutation, at) => ({ rule, mutation, nth: at + 1 })));

  it.each(cases)("rule $rule.of, taken out in way $nth, breaks: $rule.name", async ({ rule, mutation }) => {
    const stage = await aStage({ ...rule.stage, mutations: [mutation] });
    const failure: unknown = await rule.check(stage).then(
      () => "the check holds without its rule",
      (error: unknown) => error,
    );
    expect(stage.matched()).toContain(mutation);
    // An expectation that was not met, not a script that no longer runs.
    expect(failure).toHaveProperty("matcherResult");
  });
});
