import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { seconds } from "../../src/domain/time.ts";
import { until } from "../support/until.ts";
import { startWorkerProcess } from "../support/worker-processes.ts";
import { aWorld, type World } from "../support/world.ts";
import { readRow } from "../support/rows.ts";

/** A text is looked for this long after nobody knew. */
const ASKED_AT = [15, 60, 300].map(seconds);

describe("a text that may have been sent", () => {
  let world: World;
  beforeAll(async () => {
    world = await aWorld({ at: "2026-06-01T12:00:00Z", quotas: { sms: { hour: 10 } } });
  });
  afterAll(() => world.stop());

  const view = async (id: string) => (await world.as("GET", `/v1/messages/${id}`)).body;
  const asked = async (id: string): Promise<number> =>
    Number((await readRow(world.core.commands, world.core.keys.state(id)))["asked"]);

  it("is told as uncertain, stays charged, and ends so when the provider does not have it: it is not sent again", async () => {
    const { body } = await world.send(1, "sms", { to: "+15005550005" });
    await world.quiet();
    expect(await view(body.id)).toMatchObject({ status: "uncertain", attempts: [{ outcome: "uncertain" }] });
    const since = world.now();
    for (const [at, after] of ASKED_AT.entries()) {
      await world.advanceTo(since + after);
      await until(async () => (await asked(body.id)) === at + 1, { what: `the provider was asked ${at + 1} times` });
    }
    expect(await view(body.id)).toMatchObject({ status: "uncertain", attempts: [{ number: 1 }] });
    expect((await world.as("GET", "/v1/quotas")).body.sms.hour).toMatchObject({ used: 1, held: 0 });
    expect(world.ledger).toHaveLength(0);
  });

  it("is found at the provider when its worker died in mid-call, and is then sent, once", async () => {
    await world.call("POST", `/v1/accounts/${world.account.id}/channels/sms/pause`);
    const { body } = await world.send(2, "sms");
    let arrived = (): void => {};
    let open = (): void => {};
    const inHand = new Promise<void>((resolve) => (arrived = resolve));
    const latch = new Promise<void>((resolve) => (open = resolve));
    world.provider.beforeArrival = async () => {
      arrived();
      await latch;
    };
    await world.stopWorkers();
    const worker = await startWorkerProcess(world);
    await world.call("POST", `/v1/accounts/${world.account.id}/channels/sms/resume`);
    await inHand;
    await worker.end("SIGKILL");
    open();
    world.provider.beforeArrival = null;
    await until(() => world.ledger.length === 1, { what: "the provider took it in" });
    await world.startWorker();
    await world.advanceTo(world.now() + seconds(26));
    await until(async () => (await view(body.id)).status === "uncertain", { what: "its worker is given up" });
    await world.advanceTo(world.now() + seconds(15));
    await until(async () => (await view(body.id)).status === "sent", { what: "it is found" });
    await world.quiet();
    expect(world.ledger).toMatchObject([{ channel: "sms", to: "+15005551002" }]);
  });
});
