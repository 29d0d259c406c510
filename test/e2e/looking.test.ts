import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { until } from "../support/until.ts";
import { aWorld, type World } from "../support/world.ts";

describe("what an account sees of its queues", () => {
  let world: World;
  beforeAll(async () => {
    world = await aWorld({
      zone: "Asia/Kathmandu",
      at: "2026-03-10T09:05:00+05:45",
      quotas: { email: { hour: 5 }, all: { day: 1_000 } },
    });
    const messages = Array.from({ length: 12 }, (_, n) =>
      world.bodyFor.email(n, { priority: n < 2 ? "low" : "normal" }),
    );
    await world.as("POST", "/v1/email/send/bulk", { messages });
    await world.quiet();
  });
  afterAll(() => world.stop());

  it("is how many wait and why, since when, and when the last will have gone", async () => {
    const { body } = await world.as("GET", "/v1/queues");
    expect(body.email).toMatchObject({ queued: 0, throttled: 7, scheduled: 0, sending: 0, paused: false });
    // Seven left: five at ten, two at eleven.
    expect(Date.parse(body.email.drains_at)).toBe(Date.parse("2026-03-10T11:00:00+05:45"));
    expect(Date.parse(body.email.oldest_at)).toBe(world.now());
    expect(body.sms).toMatchObject({ queued: 0, drains_at: null, oldest_at: null });
  });

  it("agrees with what the messages themselves are told", async () => {
    const { body } = await world.as("GET", "/v1/messages?status=throttled");
    const told = body.items.map((item: any) => Date.parse(item.estimated_send_at)).toSorted();
    expect(told).toHaveLength(7);
    expect(told.at(-1)).toBe(Date.parse("2026-03-10T11:00:00+05:45"));
    expect(told[0]).toBe(Date.parse("2026-03-10T10:00:00+05:45"));
  });

  it("comes true", async () => {
    await world.advanceTo("2026-03-10T10:00:00+05:45");
    await world.quiet();
    expect(world.ledger).toHaveLength(10);
    await world.advanceTo("2026-03-10T11:00:00+05:45");
    await world.quiet();
    expect(world.ledger).toHaveLength(12);
  });

  it("is told afterwards hour by hour", async () => {
    const { body } = await world.as(
      "GET",
      `/v1/reports/usage?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z&by=hour`,
    );
    expect(body.items.map(({ starts_at, sent }: any) => [Date.parse(starts_at), sent])).toEqual([
      [Date.parse("2026-03-10T09:00:00+05:45"), 5],
      [Date.parse("2026-03-10T10:00:00+05:45"), 5],
      [Date.parse("2026-03-10T11:00:00+05:45"), 2],
    ]);
  });

  it("is summed up for the operator, with BullMQ's own counts", async () => {
    const { body } = await world.call("GET", "/v1/queues");
    expect(body.email).toMatchObject({ queued: 0, throttled: 0, jobs: { completed: 12, failed: 0 } });
  });
});

describe("what is out of quota and paused as well", () => {
  let world: World;
  beforeAll(async () => {
    world = await aWorld({ quotas: { email: { hour: 1 } } });
    for (let n = 0; n < 3; n++) await world.send(n);
    await world.quiet();
    await world.call("POST", `/v1/accounts/${world.account.id}/channels/email/pause`);
  });
  afterAll(() => world.stop());

  it("is queued wherever it is told of, for to resume it comes first", async () => {
    const { items } = (await world.as("GET", "/v1/messages")).body;
    expect(items.map(({ status, held_by }: any) => [status, held_by]).toSorted()).toEqual([
      ["queued", "paused"],
      ["queued", "paused"],
      ["sent", null],
    ]);
    expect((await world.as("GET", "/v1/queues")).body.email).toMatchObject({ queued: 2, throttled: 0, paused: true });
  });
});

describe("what only a sender's rate holds", () => {
  let world: World;
  beforeAll(async () => {
    world = await aWorld();
    const sender = encodeURIComponent("shop@example.com");
    await world.call("PUT", `/v1/accounts/${world.account.id}/senders/${sender}/quotas/email`, { rate: "6/min" });
    for (let n = 0; n < 3; n++) await world.send(n);
    await until(async () => (await world.depths()).throttled === 2, { what: "two that wait for their slots" });
  });
  afterAll(() => world.stop());

  it("is queued wherever it is told of, and not out of quota", async () => {
    const { body } = await world.as("POST", "/v1/email/send/bulk", { messages: [world.bodyFor.email(3)] });
    const [{ id, status }] = body.results;
    expect(status).toBe("queued");
    expect((await world.as("GET", `/v1/messages/${id}`)).body).toMatchObject({ status: "queued", held_by: "rate" });
    expect((await world.as("GET", "/v1/queues")).body.email).toMatchObject({ queued: 3, throttled: 0 });
  });
});
