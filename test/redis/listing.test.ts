/** Lists that go on where they stopped, whatever has left Redis meanwhile; and what a report counts under which hour. */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { idOf, newSeed } from "../../src/domain/id.ts";
import { instant } from "../../src/domain/time.ts";
import { listing } from "../../src/gate/listing.ts";
import { usageReport } from "../../src/gate/usage-report.ts";
import { keysOf, type Keys } from "../../src/redis/keys.ts";
import { scriptRunner, type ScriptRunner } from "../../src/redis/script.ts";
import { accept } from "../../src/redis/scripts/accept.ts";
import { testRedis, type TestRedis } from "../support/redis.ts";

const ACCOUNT = "acc_1";
const DAY = 86_400_000;

let server: TestRedis;
let redis: Redis;
let keys: Keys;
let scripts: ScriptRunner;
beforeAll(async () => {
  server = await testRedis();
  redis = server.connect();
  keys = keysOf(server.cell);
  scripts = scriptRunner(redis, server.cell, { testClock: true });
});
afterAll(() => server.close());

describe("a list of messages", () => {
  it("goes on behind a cursor whose message has left Redis, and neither skips nor repeats those of its millisecond", async () => {
    await redis.hset(keys.account(ACCOUNT), { name: "One", zone: "UTC" });
    const ids: string[] = [];
    // A thousand and more, ten to a millisecond, of which the page shows none until the walk is cut short.
    for (let ms = 0; ms < 105; ms++) {
      const now = Date.UTC(2026, 2, 1) + ms;
      await redis.set(keys.testClock, now);
      const seed = newSeed(instant(now));
      const messages = Array.from({ length: 10 }, (_, n) => ({
        id: idOf("msg", seed, n),
        channel: "sms" as const,
        class: "normal" as const,
        sender: "+15005550006",
        recipient: `+1202555${String(1000 + n)}`,
        sendAt: null,
        expiresAt: null,
        kept: JSON.stringify(ms < 5 ? { reference: "old" } : {}),
        body: JSON.stringify({ to: "+12025550100", body: "Hi" }),
      }));
      ids.push(...messages.map(({ id }) => id));
      await accept(scripts, ACCOUNT, 1_000_000, null, messages);
    }
    const list = listing(redis, scripts, keys);
    const first = await list(ACCOUNT, { reference: "old" }, null, 100);
    expect(first.items).toEqual([]);
    const [last = ""] = (first.nextCursor ?? "").split(" ");
    // Newest first: a thousand of 1,050 were walked.
    const order = ids.toSorted().toReversed();
    expect(order.indexOf(last)).toBe(999);
    for (const gone of [[], [last], order.slice(980, 1_000)]) {
      for (const id of gone) await redis.zrem(keys.index(ACCOUNT), id);
      const next = await list(ACCOUNT, { reference: "old" }, first.nextCursor, 100);
      expect(next.items.map(({ id }) => id)).toEqual(order.slice(1_000));
      expect(next.nextCursor).toBeNull();
    }
  });
});

describe("the report of what was sent", () => {
  it("counts an hour whole that begins in one day of UTC and ends in the next, whenever in it the report begins", async () => {
    const midnight = Date.UTC(2026, 2, 11);
    const hour = midnight - DAY / 48;
    const account = "acc_kolkata";
    await redis.hset(keys.account(account), { name: "Two", zone: "Asia/Kolkata" });
    await redis.hset(keys.usage(account, "email", midnight / DAY - 1), `${hour}:sent`, 7);
    await redis.hset(keys.usage(account, "email", midnight / DAY), `${hour}:sent`, 2);
    const report = usageReport(redis, keys);
    for (const from of [hour, midnight - 1, midnight, midnight + 10 * 60_000]) {
      const rows = await report(account, { from: instant(from), to: instant(midnight + DAY), by: "hour" });
      expect(rows).toEqual([{ startsAt: hour, channel: "email", sent: 9, failed: 0, uncertain: 0, throttled: 0 }]);
    }
    expect(
      await report(account, { from: instant(midnight + DAY / 48), to: instant(midnight + DAY), by: "hour" }),
    ).toEqual([]);
  });
});
