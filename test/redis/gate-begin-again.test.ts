/** A begin whose reply was lost in an outage, and is asked again when Redis is back. */
import { describe, expect, it } from "@jest/globals";
import { gateStages } from "../support/gate-cell.ts";
import { REAP_IN } from "../support/gate-stage.ts";

describe("begin, asked again after its reply was lost", () => {
  const aStage = gateStages();

  it("gives the run its whole time before the reaper may have the message", async () => {
    const stage = await aStage();
    await stage.account("a");
    const [id = ""] = await stage.put("a", 1);
    const released = await stage.released();
    await stage.begin(released);
    // Redis was away for nearly as long as an attempt may take; the provider has not been called.
    await stage.at(REAP_IN - 1);
    expect(await stage.begin(released)).toMatchObject([{ kind: "go" }]);
    await stage.at(2 * REAP_IN - 2);
    await stage.reap();
    expect(await stage.state(id)).toBe("sending");
    await stage.at(2 * REAP_IN);
    await stage.reap();
    expect(await stage.state(id)).toBe("scheduled");
  });

  it("stays stale once the reaper has had it: the provider is not called", async () => {
    const stage = await aStage();
    await stage.account("a");
    await stage.put("a", 1);
    const released = await stage.released();
    await stage.begin(released);
    await stage.at(REAP_IN + 1);
    await stage.reap();
    expect(await stage.begin(released)).toMatchObject([{ kind: "stale" }]);
  });
});
