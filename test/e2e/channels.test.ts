import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { until } from "../support/until.ts";
import { aWorld, type World } from "../support/world.ts";

describe("what leaves on each channel", () => {
  let world: World;
  beforeAll(async () => {
    world = await aWorld({ zone: "Europe/Berlin", at: "2026-06-01T12:00:00+02:00" });
  });
  afterAll(() => world.stop());
  afterEach(() => void world.ledger.splice(0));

  const view = async (id: string) => (await world.as("GET", `/v1/messages/${id}`)).body;

  it("is an email with its subject, its body and an id that is made of the message's", async () => {
    const { body } = await world.send(1, "email", { from: "The Shop <Shop@Example.com>", html: "<p>body</p>" });
    await world.quiet();
    expect(world.ledger).toMatchObject([
      { channel: "email", to: "r1@example.net", from: "shop@example.com", subject: "Message 1", message_id: body.id },
    ]);
    const told = await view(body.id);
    // The server that took it did not say under which name.
    expect(told).toMatchObject({
      status: "sent",
      attempts: [{ outcome: "sent", provider: "smtp" }],
      provider_id: null,
    });
    expect(told.attempts[0]).not.toHaveProperty("provider_id");
  });

  it.each(["sms", "whatsapp"] as const)(
    "is a text by %s, from the number of the account with Twilio when it names none",
    async (channel) => {
      const { status, body } = await world.send(2, channel);
      expect(status).toBe(202);
      await world.quiet();
      expect(world.ledger).toMatchObject([
        { channel, to: "+15005551002", from: "+15005550006", body: "text 2", message_id: body.id },
      ]);
      expect((await view(body.id)).attempts[0].provider_id).toMatch(/^SM/);
    },
  );

  it("is a call that says the words and nothing else", async () => {
    const say = "one < two & </Say><Dial>+19005550100</Dial>";
    const { body } = await world.send(3, "voice", { say });
    await world.quiet();
    expect(world.ledger).toMatchObject([{ channel: "voice", to: "+15005551003", body: say, message_id: body.id }]);
  });

  it("ends failed when the provider says that nobody is there, costs no quota, and suppresses the address", async () => {
    const { body } = await world.send(4, "email", { to: "fail@sandbox.invalid" });
    await world.quiet();
    expect(await view(body.id)).toMatchObject({ status: "failed", attempts: [{ outcome: "permanent" }] });
    const again = await world.send(5, "email", { to: "fail@sandbox.invalid" });
    expect(again.body).toMatchObject({ status: "suppressed" });
    const { body: quotas } = await world.as("GET", "/v1/quotas");
    expect(quotas.email.day.used).toBe(1);
  });

  it("is tried again later, with backoff, when the provider says not now", async () => {
    const { body } = await world.send(6, "email", { to: "defer@sandbox.invalid" });
    await world.quiet();
    const waiting = await view(body.id);
    expect(waiting).toMatchObject({
      status: "scheduled",
      held_by: "schedule",
      attempts: [{ number: 1, outcome: "transient" }],
    });
    const dueAt = Date.parse(waiting.estimated_send_at);
    expect(dueAt).toBeGreaterThanOrEqual(world.now() + 1_000);
    expect(dueAt).toBeLessThanOrEqual(world.now() + 30_000);
    await world.advanceTo(dueAt);
    await world.quiet();
    expect((await view(body.id)).attempts).toHaveLength(2);
    await world.as("DELETE", `/v1/messages/${body.id}`);
  });

  it("closes the channel for everybody when the provider throttles it, tells so, costs no try, and goes on by itself", async () => {
    const { body } = await world.send(7, "sms", { to: "+15005550009" });
    await until(async () => (await view(body.id)).attempts.length === 1, { what: "the attempt is told" });
    const other = await world.send(8, "sms");
    expect(other.body).toMatchObject({ status: "queued", held_by: "provider" });
    const opensAt = Date.parse(other.body.estimated_send_at);
    expect(opensAt).toBe(world.now() + 5_000);
    expect(world.ledger).toHaveLength(0);
    await world.as("DELETE", `/v1/messages/${body.id}`);
    await world.advanceTo(opensAt);
    await world.quiet();
    expect(world.ledger).toMatchObject([{ to: "+15005551008" }]);
  });
});
