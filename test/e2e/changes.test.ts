/** A limit changed is a limit in force: at once, over HTTP, with messages in flight, released and waiting. */
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { CHANNELS } from "../../src/domain/channel.ts";
import { hours } from "../../src/domain/time.ts";
import { keysIn } from "../support/cell-keys.ts";
import { until } from "../support/until.ts";
import { aWorld, type World } from "../support/world.ts";
import { readRow } from "../support/rows.ts";

const HANDS = 5;
const SENDER = "shop@example.com";

describe("a rule changed while messages are in flight, released and waiting", () => {
  let world: World;
  let open = (): void => {};
  let arriving = 0;

  beforeEach(async () => {
    world = await aWorld({ at: "2026-03-01T22:30:00Z", env: { SLUICE_CONCURRENCY: `email=${HANDS}` } });
  });
  afterEach(async () => {
    open();
    await world.stop();
  });

  /** From now on the provider takes nothing in before `open`. */
  const latch = (): void => {
    arriving = 0;
    const opened = new Promise<void>((resolve) => {
      open = () => {
        world.provider.beforeArrival = null;
        resolve();
      };
    });
    world.provider.beforeArrival = async () => {
      arriving++;
      await opened;
    };
  };
  const sums = async () => {
    const rows = await Promise.all(
      CHANNELS.map((channel) => readRow(world.core.commands, world.core.keys.channelStats(channel))),
    );
    const of = (field: string): number => rows.reduce((sum, row) => sum + Number(row[field] ?? 0), 0);
    return { queued: of("queued"), released: of("released"), sending: of("sending") };
  };
  const enqueue = async (count: number, account = world.account): Promise<string[]> => {
    const messages = Array.from({ length: count }, (_, n) => world.bodyFor.email(n));
    const { status, body } = await world.call("POST", "/v1/email/send/bulk", { messages }, account.key);
    expect(status).toBe(202);
    return (body.results as { id: string }[]).map(({ id }) => id);
  };
  /** Five at the provider, some released, the rest waiting. */
  const midway = async (count: number, account = world.account): Promise<string[]> => {
    latch();
    const ids = await enqueue(count, account);
    await until(async () => arriving === HANDS && (await sums()).released > 0, { what: "hands and BullMQ to be full" });
    return ids;
  };
  const set = async (path: string, body: unknown, account = world.account) => {
    const answer = await world.call("PUT", `/v1/accounts/${account.id}/${path}`, body);
    expect(answer.status).toBe(200);
    return answer.body;
  };
  const post = async (path: string) => expect((await world.call("POST", path)).status).toBe(200);
  const sent = () => world.ledger.length;
  const sentBecomes = (count: number) =>
    until(() => sent() === count, { what: `${count} to have gone`, within: 2_000 }).then(() => world.quiet());
  const emailOf = async (kind: string) => (await world.as("GET", "/v1/quotas")).body.email[kind];

  it("a quota lowered takes back what was released; raised or removed, it lets go at once", async () => {
    const ids = await midway(40);
    await set("quotas/email", { hour: 7 });
    open();
    await world.quiet();
    expect(sent()).toBe(7);
    expect(await sums()).toEqual({ queued: 33, released: 0, sending: 0 });
    expect(await emailOf("hour")).toMatchObject({ limit: 7, used: 7, held: 0, remaining: 0 });
    const waiting = (await world.as("GET", `/v1/messages/${ids.at(-1)}`)).body;
    expect(waiting).toMatchObject({ status: "throttled", held_by: "email.hour" });

    await set("quotas/email", { hour: 20 });
    await sentBecomes(20);
    await set("quotas/email", { hour: 5, day: 30 });
    expect(sent()).toBe(20);
    await set("quotas/email", { hour: null, day: 30 });
    await sentBecomes(30);
    await set("quotas/all", { month: 35 });
    await set("quotas/email", {});
    await sentBecomes(35);
    await set("quotas/all", {});
    await sentBecomes(40);
    const ledger = world.ledger.map((entry) => entry.message_id);
    expect(new Set(ledger)).toEqual(new Set(ids));
  });

  it("a quota lowered below what is in flight lets nothing more begin", async () => {
    await midway(20);
    await set("quotas/email", { day: 2 });
    open();
    await world.quiet();
    expect(sent()).toBe(HANDS);
    expect(await emailOf("day")).toMatchObject({ limit: 2, used: HANDS, held: 0, remaining: 0 });
  });

  it("a changed zone takes hold as each running window ends, and says when; flipping it mints nothing", async () => {
    await set("quotas/email", { hour: 3, day: 5 });
    await enqueue(30);
    await world.quiet();
    expect(sent()).toBe(3);
    const zones = ["Asia/Kathmandu", "America/New_York", "Pacific/Kiritimati", "UTC", "Asia/Kathmandu"];
    for (const timezone of zones) {
      const { status, body } = await world.call("PATCH", `/v1/accounts/${world.account.id}`, { timezone });
      expect(status).toBe(200);
      expect(body.timezone).toBe(timezone);
      expect(Date.parse(body.effective_from.hour)).toBe(Date.parse("2026-03-01T23:00:00Z"));
      expect(Date.parse(body.effective_from.day)).toBe(Date.parse("2026-03-02T00:00:00Z"));
      await world.quiet();
      expect(sent()).toBe(3);
    }
    // 22:15 to 23:15 is the hour in Kathmandu that holds 23:00: it began before the old hour's end, and owes its three.
    await world.advanceTo("2026-03-01T23:00:00Z");
    await world.quiet();
    expect(sent()).toBe(3);
    await world.advanceTo("2026-03-01T23:15:00Z");
    await world.quiet();
    expect(sent()).toBe(5);
    // Kathmandu's day began at 18:15: at midnight of UTC nothing is forgotten.
    for (const at of ["2026-03-02T00:00:00Z", "2026-03-02T06:15:00Z", "2026-03-02T18:14:59Z"]) {
      await world.advanceTo(at);
      await world.quiet();
      expect(sent()).toBe(5);
    }
    await world.advanceTo("2026-03-02T18:15:00Z");
    await world.quiet();
    expect(sent()).toBe(8);
    const { hour } = (await world.as("GET", "/v1/quotas")).body.email;
    expect(hour.starts_at).toContain("+05:45");
  });

  it("a day that began before the one just ended gives nothing until it ends; quotas and forecasts say so", async () => {
    // Brisbane's day ends at 14:00Z. Adelaide's, in which the clocks go back, has by then lasted for 24.5 of its 25 hours.
    const move = (timezone: string) => world.call("PATCH", `/v1/accounts/${world.account.id}`, { timezone });
    await move("Australia/Brisbane");
    await world.advanceTo("2026-04-05T01:00:00Z");
    await set("quotas/email", { day: 9 });
    await enqueue(2);
    await world.quiet();
    expect(sent()).toBe(2);
    await move("Australia/Adelaide");
    await world.advanceTo("2026-04-05T14:00:00Z");
    const shut = { limit: 9, used: 2, held: 0, remaining: 0 };
    // The row is still Brisbane's; the gate rolls it when there is something to let go.
    expect(await emailOf("day")).toMatchObject(shut);
    const [id = ""] = await enqueue(1);
    await world.quiet();
    expect(sent()).toBe(2);
    expect(await emailOf("day")).toMatchObject(shut);
    const opens = "2026-04-06T00:00:00+09:30";
    const waiting = (await world.as("GET", `/v1/messages/${id}`)).body;
    expect(waiting).toMatchObject({ status: "throttled", held_by: "email.day", estimated_send_at: opens });
    const next = (await world.send(9)).body;
    expect(next).toMatchObject({ status: "throttled", held_by: "email.day", estimated_send_at: opens });
    await world.advanceTo("2026-04-05T14:30:00Z");
    await world.quiet();
    expect(sent()).toBe(4);
    expect(await emailOf("day")).toMatchObject({ used: 2, remaining: 7 });
  });

  it.each(["account", "whole"] as const)(
    "the %s channel paused takes back what was released; resumed, it goes on",
    async (which) => {
      const path = which === "account" ? `/v1/accounts/${world.account.id}/channels/email` : "/v1/channels/email";
      const ids = await midway(20);
      await post(`${path}/pause`);
      open();
      await until(async () => (await sums()).sending === 0 && (await sums()).released === 0, {
        what: "nothing in flight",
      });
      expect(sent()).toBe(HANDS);
      expect(await sums()).toEqual({ queued: 20 - HANDS, released: 0, sending: 0 });
      expect((await world.as("GET", `/v1/messages/${ids.at(-1)}`)).body).toMatchObject({
        status: "queued",
        held_by: "paused",
        estimated_send_at: null,
      });
      // Other channels are not concerned.
      await world.send(1, "sms");
      await until(() => sent() === HANDS + 1, { what: "the text to go" });
      await post(`${path}/resume`);
      await sentBecomes(20 + 1);
    },
  );

  it("a sender's quota and rate hold that sender and no other", async () => {
    await midway(20);
    await set(`senders/${encodeURIComponent(SENDER)}/quotas/email`, { hour: 8 });
    open();
    await world.quiet();
    expect(sent()).toBe(8);
    for (let n = 0; n < 4; n++) await world.send(100 + n, "email", { from: "other@example.com" });
    await sentBecomes(12);

    await set(`senders/${encodeURIComponent(SENDER)}/quotas/email`, { rate: "1/s" });
    await world.quiet();
    const start = sent();
    expect(start).toBeLessThanOrEqual(13);
    for (let second = 1; second <= 4; second++) {
      await world.advanceTo(world.now() + 1_000);
      await sentBecomes(start + second);
    }
    await set(`senders/${encodeURIComponent(SENDER)}/quotas/email`, {});
    await sentBecomes(24);
  });

  it("a changed plan is a changed quota, both ways", async () => {
    const account = await world.newAccount("Planned", { plan: "free" });
    await enqueue(60, account);
    await world.quiet();
    expect(sent()).toBe(20);
    const patch = (body: unknown) => world.call("PATCH", `/v1/accounts/${account.id}`, body);
    expect((await patch({ plan: "starter" })).status).toBe(200);
    await sentBecomes(60);
    expect((await patch({ plan: "free" })).status).toBe(200);
    await enqueue(5, account);
    await world.quiet();
    expect(sent()).toBe(60);
    expect((await patch({ plan: null })).status).toBe(200);
    await sentBecomes(65);
  });

  it("a deleted account sends nothing more, opens nothing more, and leaves no keys behind", async () => {
    const account = await world.newAccount("Leaving", { quotas: { email: { hour: 3 } } });
    await set(`senders/${encodeURIComponent(SENDER)}/quotas/email`, { day: 100 }, account);
    await set("quotas/email", { hour: null }, account);
    const path = `/v1/accounts/${account.id}`;
    await world.call(
      "POST",
      "/v1/suppressions",
      { channel: "sms", address: "+15005551234", reason: "asked" },
      account.key,
    );
    await midway(30, account);
    await world.send(7, "sms", { send_at: new Date(Date.now() + hours(5)).toISOString() }, account.key);
    const refused = await world.call("DELETE", path);
    expect(refused).toMatchObject({ status: 409, body: { code: "account_not_empty" } });
    expect((await world.call("GET", path)).status).toBe(200);

    const removed = await world.call("DELETE", `${path}?force=true`);
    expect(removed).toMatchObject({ status: 202, body: { status: "removing" } });
    expect((await world.call("GET", path)).body.status).toBe("removing");
    expect((await world.send(1, "email", {}, account.key)).status).toBe(401);
    open();
    await until(async () => (await world.call("GET", path)).status === 404, { what: "it to be gone", within: 15_000 });
    expect(sent()).toBe(HANDS);
    // Finished by the workers' chores, every few seconds. What stays leaves by itself: usage and counters, 40 days.
    await until(async () => (await keysIn(world)).every(({ name, ttl }) => !name.includes(account.id) || ttl > 0), {
      what: "nothing of it to stay for ever",
      within: 15_000,
    });
    expect((await world.call("DELETE", `${path}?force=true`)).status).toBe(404);
    expect((await world.call("GET", "/v1/accounts")).body.items.map(({ id }: { id: string }) => id)).not.toContain(
      account.id,
    );

    const empty = await world.newAccount("Empty");
    expect((await world.call("DELETE", `/v1/accounts/${empty.id}`)).status).toBe(204);
    expect((await world.call("GET", `/v1/accounts/${empty.id}`)).status).toBe(404);
  });
});
