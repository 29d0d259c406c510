import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { aWorld, type World } from "../support/world.ts";

describe("an account in Kathmandu with five mails an hour", () => {
  let world: World;
  const ids: string[] = [];

  beforeAll(async () => {
    world = await aWorld({ zone: "Asia/Kathmandu", at: "2026-03-10T09:05:00+05:45", quotas: { email: { hour: 5 } } });
  });
  afterAll(() => world.stop());

  it("answers 202 eight times", async () => {
    for (let n = 1; n <= 8; n++) {
      const { status, body } = await world.send(n);
      expect({ status, body }).toMatchObject({ status: 202, body: { channel: "email" } });
      ids.push(body.id);
    }
  });

  it("sends five at once", async () => {
    await world.quiet();
    expect(world.ledger.map((entry) => entry.subject).toSorted()).toEqual([1, 2, 3, 4, 5].map((n) => `Message ${n}`));
  });

  it("tells of the other three what holds them and until when, in the account's own time", async () => {
    for (const [at, id] of ids.slice(5).entries()) {
      const { body } = await world.as("GET", `/v1/messages/${id}`);
      expect(body).toMatchObject({ status: "throttled", held_by: "email.hour", position: at + 1 });
      expect(Date.parse(body.estimated_send_at)).toBe(Date.parse("2026-03-10T10:00:00+05:45"));
      expect(body.estimated_send_at).toMatch(/\+05:45$/);
    }
  });

  it("shows the quota used up and the hour's end at a quarter past in UTC", async () => {
    const { body } = await world.as("GET", "/v1/quotas");
    expect(body.email.hour).toMatchObject({ limit: 5, used: 5, held: 0, remaining: 0 });
    expect(Date.parse(body.email.hour.resets_at)).toBe(Date.parse("2026-03-10T04:15:00Z"));
  });

  it("sends none a millisecond before the hour, and the three when it comes", async () => {
    await world.advanceTo("2026-03-10T09:59:59.999+05:45");
    await world.quiet();
    expect(world.ledger).toHaveLength(5);
    await world.advanceTo("2026-03-10T10:00:00+05:45");
    await world.quiet();
    expect(world.ledger.map((entry) => entry.subject)).toHaveLength(8);
    expect((await world.as("GET", `/v1/messages/${ids[7]}`)).body).toMatchObject({
      status: "sent",
      held_by: null,
      attempts: [{ number: 1, outcome: "sent", provider: "smtp" }],
    });
  });
});
