/** A request that is made again under its key, after one that broke off: what was good then is good now, and goes once. */
import { afterEach, describe, expect, it } from "@jest/globals";
import { aWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.stop());

/** The calls of a script have no answer, from the one of that number on, until it is healed. */
const breaking = (name: string, from: number): (() => void) => {
  const { scripts } = world.core;
  const { run } = scripts;
  let calls = 0;
  scripts.run = (script, args) =>
    script.name === name && ++calls >= from
      ? Promise.reject(new Error("Connection is closed."))
      : run.call(scripts, script, args);
  return () => {
    scripts.run = run;
  };
};

const KEY = { "idempotency-key": "again" };

/** Of each message of the bulk: whether it was answered with an id, how often it arrived, and whose its id is. */
const fates = async (messages: readonly object[], results: readonly { readonly id?: string }[]) =>
  Promise.all(
    messages.map(async (message, place) => {
      const { to } = message as { readonly to: string };
      const id = results[place]?.id;
      const arrived = world.ledger.filter((entry) => entry.to === to).length;
      return {
        promised: id !== undefined,
        arrived,
        is: id && (await world.as("GET", `/v1/messages/${id}`)).body.to === to,
      };
    }),
  );

describe("a bulk that broke off after its first piece", () => {
  const many = 150;

  it("is completed as it was begun, though one of its messages would be refused by now", async () => {
    world = await aWorld({ at: "2026-03-01T09:00:00Z" });
    const messages = Array.from({ length: many }, (_, n) =>
      world.bodyFor.sms(n, n === 10 ? { expires_at: "2026-03-01T09:00:30Z" } : {}),
    );
    const heal = breaking("accept", 2);
    expect((await world.as("POST", "/v1/sms/send/bulk", { messages }, KEY)).status).toBe(503);
    heal();
    await world.quiet();
    await world.advanceTo("2026-03-01T09:00:40Z");
    const { status, body } = await world.as("POST", "/v1/sms/send/bulk", { messages }, KEY);
    await world.quiet();
    expect([status, body.accepted, body.rejected]).toEqual([202, many, 0]);
    expect(await fates(messages, body.results)).toEqual(messages.map(() => ({ promised: true, arrived: 1, is: true })));
  });

  it("refuses those that were late, and no others, though they would go in time by now", async () => {
    world = await aWorld({ at: "2026-03-01T09:00:00Z", quotas: { sms: { hour: 0 } } });
    const messages = Array.from({ length: many }, (_, n) =>
      world.bodyFor.sms(n, n === 10 ? { expires_at: "2026-03-01T12:00:00Z", on_late: "reject" } : {}),
    );
    const heal = breaking("accept", 2);
    expect((await world.as("POST", "/v1/sms/send/bulk", { messages }, KEY)).status).toBe(503);
    heal();
    await world.call("PATCH", `/v1/accounts/${world.account.id}`, { quotas: { sms: { hour: 1_000 } } });
    const { status, body } = await world.as("POST", "/v1/sms/send/bulk", { messages }, KEY);
    await world.quiet();
    expect([status, body.accepted, body.rejected]).toEqual([202, many - 1, 1]);
    expect(body.results[10].error.code).toBe("would_expire");
    expect(await fates(messages, body.results)).toEqual(
      messages.map((_, n) =>
        n === 10 ? { promised: false, arrived: 0, is: undefined } : { promised: true, arrived: 1, is: true },
      ),
    );
  });
});

describe("a message whose answer was lost", () => {
  it.each([
    ["it has expired since", {}],
    ["it would be late by now", { on_late: "reject" }],
  ])("is answered for as it was accepted, though %s", async (_, more) => {
    world = await aWorld({ at: "2026-03-01T09:00:00Z" });
    const message = world.bodyFor.sms(1, { expires_at: "2026-03-01T09:00:30Z", ...more });
    const heal = breaking("idempotency-end", 1);
    expect((await world.as("POST", "/v1/sms/send", message, KEY)).status).toBe(503);
    heal();
    await world.quiet();
    await world.advanceTo("2026-03-01T09:00:40Z");
    const { status, body } = await world.as("POST", "/v1/sms/send", message, KEY);
    expect(status).toBe(202);
    expect((await world.as("GET", `/v1/messages/${body.id}`)).body.status).toBe("sent");
    expect(world.ledger).toHaveLength(1);
  });
});

it("a bulk that is larger than the backlog may be is put off as a whole", async () => {
  world = await aWorld({ env: { SLUICE_BACKLOG_CAP: "50" } });
  const messages = Array.from({ length: 160 }, (_, n) => world.bodyFor.sms(n));
  const { status, body } = await world.as("POST", "/v1/sms/send/bulk", { messages });
  expect([status, body.code]).toEqual([429, "backlog_full"]);
});
