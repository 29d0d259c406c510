import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { accountsOn } from "../../src/accounts/accounts.ts";
import { suppressionsOn } from "../../src/accounts/suppressions.ts";
import { CHANNELS } from "../../src/domain/channel.ts";
import { milliseconds, systemClock } from "../../src/domain/time.ts";
import type { GateControl } from "../../src/gate/control.ts";
import { nudgerOn } from "../../src/gate/nudge.ts";
import { rulesOn } from "../../src/gate/rules.ts";
import { zonesOn } from "../../src/gate/zones.ts";
import { keysOf, type Keys } from "../../src/redis/keys.ts";
import { scriptRunner, type ScriptRunner } from "../../src/redis/script.ts";
import { DAY, gateStage, HOUR, T0 } from "../support/gate-stage.ts";
import { testRedis, type TestRedis } from "../support/redis.ts";

let server: TestRedis;
let redis: Redis;
let keys: Keys;
let scripts: ScriptRunner;
let control: GateControl;

beforeEach(async () => {
  server = await testRedis();
  redis = server.connect();
  keys = keysOf(server.cell);
  scripts = scriptRunner(redis, server.cell, { testClock: true });
  control = rulesOn({
    redis,
    scripts,
    keys,
    zones: zonesOn(redis, scripts, keys, pino({ level: "silent" })),
    nudger: nudgerOn(redis, keys),
  });
});
afterEach(() => server.close());

const accounts = () => accountsOn({ redis, keys, scripts, control, plans: new Map(), clock: systemClock });

const keysWith = async (part: string): Promise<readonly string[]> => {
  const found: string[] = [];
  for await (const page of redis.scanStream({ match: `${server.cell}*${part}*`, count: 1_000 }))
    found.push(...(page as string[]));
  return found.map((key) => key.slice(server.cell.length)).sort();
};

describe("accounts at the real gate", () => {
  it("that are deleted leave no key, ring or place behind, with messages waiting, scheduled, parked and in flight", async () => {
    const stage = await gateStage(redis, server.cell);
    const { id } = await accounts().create({
      name: "Going",
      timezone: "Asia/Kathmandu",
      quotas: { email: { hour: 2 }, all: { day: 500 } },
    });
    const rule = { channel: "email", sender: "own@x.org", quota: { hour: 1 }, rate: milliseconds(1_000) } as const;
    await accounts().setSenderRule(id, rule);
    await accounts().pause(id, "voice");
    for (const channel of CHANNELS) await stage.put(id, 300, { channel });
    await stage.put(id, 5, { sender: "own@x.org" });
    await stage.put(id, 5, { sendAt: HOUR });
    const released = await stage.released();
    const [first] = await stage.begin(released);
    expect([released.length, first?.kind]).toEqual([2, "go"]);

    await expect(accounts().remove(id, false)).rejects.toMatchObject({ code: "account_not_empty" });
    expect(await accounts().remove(id, true)).toBe("removing");
    expect((await accounts().get(id))?.status).toBe("removing");
    expect(await stage.released("sms")).toEqual([]);

    // Its last messages end, and with them the account.
    await stage.settle(released, "sent");
    expect(await accounts().finishRemovals()).toBe(0);
    expect(await accounts().get(id)).toBeNull();
    // Usage stays for its 40 days and the audit for its year; senders' rows without a rule leave by themselves.
    const leaving = /^(?:use:|audit:|q:S\|)/;
    const left = (await keysWith(id)).filter((key) => !leaving.test(key));
    expect(left).toEqual([]);
    for (const key of await keysWith(`q:S|${id}`)) expect(await redis.pttl(server.cell + key)).toBeGreaterThan(0);
    for (const channel of CHANNELS) expect(await redis.zcard(`${server.cell}ring:${channel}:a`)).toBe(0);
    expect(await redis.zrange(`${server.cell}parked`, 0, "-1")).toEqual([]);
    expect(await redis.zcard(`${server.cell}scheduled`)).toBe(0);

    await stage.at(9 * DAY);
    for (let more = true; more;) more = (await stage.purge()).more;
    expect(await keysWith("m:")).toEqual([]);
  });

  it("are held to their limits from the moment they are made, and to another from the moment it is set", async () => {
    const stage = await gateStage(redis, server.cell);
    await stage.at(10 * DAY);
    const { id } = await accounts().create({ name: "New", timezone: "UTC", quotas: { sms: { hour: 3 } } });
    await stage.put(id, 10, { channel: "sms" });
    expect(await stage.drain("sms")).toHaveLength(3);
    await accounts().setQuota(id, "sms", { hour: 5 });
    expect(await stage.drain("sms")).toHaveLength(2);
    const changed = await accounts().patch(id, { timezone: "Asia/Kathmandu" });
    expect(changed?.zoneChange).toEqual({
      hour: T0 + 10 * DAY + HOUR,
      day: T0 + 11 * DAY,
      month: T0 + 31 * DAY,
    });
  });

  it("that move to another zone have its windows at once where nothing was counted in the old one's yet", async () => {
    const stage = await gateStage(redis, server.cell);
    await stage.at(13 * DAY + 9 * HOUR);
    const { id } = await accounts().create({ name: "Moving", timezone: "UTC", quotas: { email: { day: 3 } } });
    await accounts().patch(id, { timezone: "Pacific/Kiritimati" });
    await stage.put(id, 20);
    expect(await stage.drain()).toHaveLength(3);
    // Its days begin at ten o'clock of UTC's.
    await stage.at(13 * DAY + 10 * HOUR - 1);
    expect(await stage.drain()).toHaveLength(0);
    await stage.at(13 * DAY + 10 * HOUR);
    expect(await stage.drain()).toHaveLength(3);
    await stage.at(14 * DAY);
    expect(await stage.drain()).toHaveLength(0);
  });

  it("list an address that the provider said nobody has, beside those that were told", async () => {
    const stage = await gateStage(redis, server.cell);
    await stage.at(20 * DAY);
    const { id } = await accounts().create({ name: "Bouncing", timezone: "UTC" });
    const suppressions = suppressionsOn({ redis, keys, clock: systemClock });
    await suppressions.add(id, "email", "other@y.org", "asked");
    await stage.put(id, 1, { recipient: "Gone@y.org" });
    const released = await stage.released();
    await stage.begin(released);
    await stage.settle(released, "failed", { reason: "550 5.1.1", suppress: "no such user" });
    const { items } = await suppressions.list(id, {}, null, 10);
    expect(items.map(({ address, reason }) => [address, reason])).toEqual([
      ["gone@y.org", "no such user"],
      ["other@y.org", "asked"],
    ]);
  });
});
