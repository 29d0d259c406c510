import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { until } from "../support/until.ts";
import { aWorld, type World } from "../support/world.ts";

const iso = (at: number): string => new Date(at).toISOString();

describe("messages that are scheduled, expire, are canceled or suppressed", () => {
  let world: World;
  beforeAll(async () => {
    world = await aWorld({ at: "2026-06-01T12:00:00Z", quotas: { email: { hour: 3 } } });
  });
  afterAll(() => world.stop());

  const view = async (id: string) => (await world.as("GET", `/v1/messages/${id}`)).body;
  const subjects = () => world.ledger.map((entry) => entry.subject).toSorted();

  it("goes when it is due and not a moment before", async () => {
    // The API judges send_at by its own clock, the gate by the one that this test moves.
    const sendAt = iso(Date.now() + 3_600_000);
    await world.advanceTo(Date.now());
    const { status, body } = await world.send(1, "email", { send_at: sendAt });
    expect(status).toBe(202);
    expect(body).toMatchObject({ status: "scheduled", held_by: "schedule" });
    expect(Date.parse(body.estimated_send_at)).toBe(Date.parse(sendAt));
    await world.advanceTo(Date.parse(sendAt) - 1);
    await world.quiet();
    expect(subjects()).toEqual([]);
    await world.advanceTo(Date.parse(sendAt));
    await world.quiet();
    expect(subjects()).toEqual(["Message 1"]);
  });

  it("is canceled before it is due, and then neither goes nor costs anything", async () => {
    const sendAt = iso(world.now() + 7_200_000);
    const { body } = await world.send(2, "email", { send_at: sendAt });
    expect((await world.as("DELETE", `/v1/messages/${body.id}`)).status).toBe(200);
    expect(await view(body.id)).toMatchObject({ status: "canceled" });
    expect((await world.as("DELETE", `/v1/messages/${body.id}`)).body).toMatchObject({ code: "already_final" });
    await world.advanceTo(Date.parse(sendAt) + 1);
    await world.quiet();
    expect(subjects()).toEqual(["Message 1"]);
  });

  it("expires within a second of its time, however deep it sits behind a quota that is used up", async () => {
    await world.advanceTo(world.now() + 3_600_000);
    world.ledger.splice(0);
    for (let n = 0; n < 3; n++) await world.send(10 + n);
    await world.quiet();
    const deep = await Promise.all(Array.from({ length: 20 }, (_, n) => world.send(20 + n)));
    const expiresAt = iso(world.now() + 60_000);
    const { body } = await world.send(40, "email", { expires_at: expiresAt });
    expect(deep.every(({ status }) => status === 202)).toBe(true);
    await world.advanceTo(Date.parse(expiresAt) - 1);
    await world.quiet();
    expect(await view(body.id)).toMatchObject({ status: "throttled", held_by: "email.hour" });
    await world.advanceTo(Date.parse(expiresAt));
    await until(async () => (await view(body.id)).status === "expired", { what: "it has expired", within: 1_000 });
    const { body: quotas } = await world.as("GET", "/v1/quotas");
    expect(quotas.email.hour).toMatchObject({ used: 3, held: 0 });
  });

  it("answers honestly that it would expire, when asked to reject what is late", async () => {
    const late = { ttl: 60, on_late: "reject" };
    const { status, body } = await world.send(50, "email", late);
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: "would_expire" });
    expect((await world.as("GET", "/v1/messages?limit=1")).body.items[0].id).not.toBe(body.id);
  });

  it("ends suppressed and costs no quota, also when the address was suppressed after it was enqueued", async () => {
    const { body } = await world.send(60);
    await world.as("POST", "/v1/suppressions", { channel: "email", address: "R60@example.net", reason: "asked to" });
    const now = await world.send(60);
    expect(now.body).toMatchObject({ status: "suppressed" });
    await world.as("DELETE", "/v1/messages/none");
    for (let hour = 0; hour < 9 && (await view(body.id)).status !== "suppressed"; hour++) {
      await world.advanceTo(world.now() + 3_600_000);
      await world.quiet();
    }
    expect(await view(body.id)).toMatchObject({ status: "suppressed" });
    expect(subjects()).not.toContain("Message 60");
  });
});
