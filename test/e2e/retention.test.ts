/** Nothing grows for ever: a day of traffic, and what is left of it once its time is over. */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { CHANNELS } from "../../src/domain/channel.ts";
import { days, hours } from "../../src/domain/time.ts";
import { keysIn } from "../support/cell-keys.ts";
import { until } from "../support/until.ts";
import { aWorld, type World } from "../support/world.ts";

describe("a day of traffic on all channels", () => {
  let world: World;
  beforeAll(async () => {
    // The API judges send_at and expires_at by its own clock: the day is today.
    world = await aWorld({
      at: new Date().toISOString(),
      quotas: { email: { hour: 40 } },
      env: { SLUICE_RETENTION: "7d", SLUICE_BODY_RETENTION: "1d" },
    });
  });
  afterAll(() => world.stop());

  /** What stays until something takes it away, BullMQ's own apart. */
  const lasting = async (): Promise<readonly string[]> =>
    (await keysIn(world))
      .filter(({ name, ttl }) => ttl < 0 && !name.startsWith("bull:"))
      .map(({ name }) => name)
      .toSorted();
  const count = async (prefix: string): Promise<number> =>
    (await keysIn(world)).filter(({ name }) => name.startsWith(prefix)).length;
  /** What bulks keep of each recipient. */
  const rows = async (): Promise<readonly string[]> => {
    const keys = (await keysIn(world)).map(({ name }) => name).filter((name) => /^bat:.*:rows$/.test(name));
    const { commands, keys: named } = world.core;
    const lists = await Promise.all(keys.map((name) => commands.lrange(named.cell + name, 0, -1)));
    return lists.flat().filter((row) => row !== "");
  };
  const records = async (): Promise<number> => (await count("m:")) + (await rows()).length;
  const iso = (at: number): string => new Date(at).toISOString();
  const hour = async (to: number): Promise<void> => {
    await world.advanceTo(to);
    await world.quiet();
  };

  const ids: string[] = [];
  const send = async (...of: Parameters<World["send"]>): Promise<string> => {
    const { status, body } = await world.send(...of);
    expect(status).toBe(202);
    ids.push(body.id);
    return body.id;
  };
  const statuses = async (): Promise<Record<string, number>> => {
    const counts: Record<string, number> = {};
    for (const id of ids) {
      const { status, body } = await world.as("GET", `/v1/messages/${id}`);
      const told = status === 404 ? "gone" : body.status;
      counts[told] = (counts[told] ?? 0) + 1;
    }
    return counts;
  };

  /** Some of everything that can become of a message. */
  const someOfAll = async (n: number): Promise<void> => {
    const late = iso(world.now() + hours(2));
    for (const channel of CHANNELS) for (let at = 0; at < 3; at++) await send(n + at, channel);
    await send(n, "email", { to: "fail@sandbox.invalid", from: `s${n}@example.com` });
    await send(n, "sms", { to: "+15005550002" });
    await send(n, "sms", { to: "+15005550005" });
    await send(n, "email", { to: "asked@example.net" });
    await send(n, "email", { send_at: late, priority: "high" });
    await send(n, "email", { from: "never@example.com", expires_at: iso(world.now() + hours(1)) });
    await world.as("DELETE", `/v1/messages/${await send(n, "email", { send_at: late })}`);
    const template = { from: "shop@example.com", subject: "Dear {{name}}", text: "Yours, {{name}}" };
    const recipients = Array.from({ length: 30 }, (_, at) => ({
      to: `t${n + at}@example.net`,
      variables: { name: "Ann" },
    }));
    const bulk = await world.as(
      "POST",
      "/v1/email/send/bulk",
      { template, recipients },
      { "Idempotency-Key": `k${n}` },
    );
    expect(bulk.status).toBe(202);
    ids.push(...bulk.body.results.map(({ id }: { id: string }) => id));
  };

  /** A day with some of everything every four hours, at its end nothing waits. */
  const aDay = async (first: number): Promise<void> => {
    ids.length = 0;
    const begins = world.now();
    for (let at = 0; at <= 23; at++) {
      await hour(begins + hours(at));
      if (at % 4 === 0) await someOfAll(first + 100 * at);
      await world.quiet();
    }
    await hour(begins + hours(24));
  };

  it("loses its bodies, then its records, and a second day leaves no key more than the first", async () => {
    const never = `/v1/accounts/${world.account.id}/senders/never@example.com/quotas/email`;
    expect((await world.call("PUT", never, { hour: 0 })).status).toBe(200);
    await world.as("POST", "/v1/suppressions", { channel: "email", address: "asked@example.net", reason: "asked" });
    const left: (readonly string[])[] = [];
    for (const first of [0, 3_000]) {
      await aDay(first);
      const ended = await statuses();
      expect(Object.keys(ended).toSorted()).toEqual([
        "canceled",
        "expired",
        "failed",
        "sent",
        "suppressed",
        "uncertain",
      ]);
      expect([await records(), await count("x:"), await count("bat:")]).toEqual([ids.length, ids.length, 12]);

      const last = world.now();
      await hour(last + days(1) + 1);
      // Once a tick has seen that their time is over.
      await until(
        async () => {
          const texts = [...(await world.core.commands.mget(ids.map(world.core.keys.message))), ...(await rows())];
          return texts.every((text) => text === null || !/body|Yours|text \d|words|Ann/.test(text));
        },
        { what: "all bodies to be gone", within: 2_000 },
      );
      const views = await Promise.all(ids.map((id) => world.as("GET", `/v1/messages/${id}`)));
      expect(views.every(({ body }) => body.content === null)).toBe(true);
      expect(await statuses()).toEqual(ended);

      await hour(last + days(7) + 1);
      await until(async () => (await records()) === 0, { what: "all records to be purged" });
      expect(await statuses()).toEqual({ gone: ids.length });
      expect((await world.as("GET", "/v1/messages")).body.items).toEqual([]);
      left.push(await lasting());
    }
    expect(left[1]).toEqual(left[0]);
    const limited = (await keysIn(world)).filter(({ ttl }) => ttl >= 0);
    // The audit is kept for a year.
    const longest = (name: string): number => days(/^(?:audit|evt:)/.test(name) ? 367 : 40) / 1_000;
    expect(limited.filter(({ name, ttl }) => ttl > longest(name))).toEqual([]);
  });

  it("leaves no more than a thousand ended jobs of a kind for BullMQ's tools, however many there were", async () => {
    const messages = (from: number) => Array.from({ length: 700 }, (_, n) => world.bodyFor.whatsapp(from + n));
    for (const from of [0, 1_000]) await world.as("POST", "/v1/whatsapp/send/bulk", { messages: messages(from) });
    await world.quiet();
    expect(await count("bull:whatsapp:j")).toBeLessThanOrEqual(1_000);
    expect(await world.core.commands.xlen(`${world.core.keys.bullPrefix}:whatsapp:events`)).toBeLessThan(12_000);
  });
});
