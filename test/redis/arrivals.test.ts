import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { CHANNELS } from "../../src/domain/channel.ts";
import { keysOf } from "../../src/redis/keys.ts";
import type { Arrival } from "../../src/sandbox/arrival.ts";
import { arrivalLog } from "../../src/sandbox/arrivals.ts";
import { testRedis, type TestRedis } from "../support/redis.ts";

let server: TestRedis;
let redis: Redis;
let key: string;
beforeAll(async () => {
  server = await testRedis();
  redis = server.connect();
  key = keysOf(server.cell).arrived;
});
beforeEach(() => redis.del(key));
afterAll(() => server.close());

const arrival = (n: number): Arrival => ({
  channel: CHANNELS[n % CHANNELS.length] ?? "email",
  to: `ann${n}@example.com`,
  from: "shop@example.org",
  body: `number ${n}`,
  received_at: "2026-03-01T09:59:00.000Z",
  message_id: `msg_${n}`,
});

describe("what arrived in the sandbox", () => {
  it("is listed newest first, as it came", async () => {
    const log = arrivalLog(redis, key);
    for (const n of [0, 1, 2]) await log.add(arrival(n));
    expect(await log.list({ limit: 10 })).toEqual([arrival(2), arrival(1), arrival(0)]);
    expect(await log.list({ limit: 2 })).toEqual([arrival(2), arrival(1)]);
  });

  it("is found by its channel, however many others came since", async () => {
    const log = arrivalLog(redis, key);
    for (let n = 0; n < 40; n++) await log.add(arrival(n));
    const found = await log.list({ channel: "sms", limit: 3 });
    expect(found.map(({ message_id }) => message_id)).toEqual(["msg_37", "msg_33", "msg_29"]);
  });

  it("is kept up to its cap and forgotten beyond it, and bodies are shortened", async () => {
    const log = arrivalLog(redis, key, 5);
    for (let n = 0; n < 12; n++) await log.add({ ...arrival(n), body: "x".repeat(100_000) });
    expect(await redis.xlen(key)).toBe(5);
    const listed = await log.list({ limit: 100 });
    expect(listed.map(({ message_id }) => message_id)).toEqual(["msg_11", "msg_10", "msg_9", "msg_8", "msg_7"]);
    expect(listed[0]?.body?.length).toBeLessThan(5_000);
  });

  it("is listed once when ioredis sends a command twice, and twice when a message came twice", async () => {
    const log = arrivalLog(redis, key);
    await log.add(arrival(1));
    const [entry] = await redis.xrange(key, "-", "+");
    await redis.xadd(key, "*", ...(entry?.[1] ?? []));
    expect(await log.list({ limit: 10 })).toHaveLength(1);
    await log.add(arrival(1));
    expect(await log.list({ limit: 10 })).toHaveLength(2);
  });

  it("is nothing at first", async () => {
    expect(await arrivalLog(redis, key).list({ limit: 10 })).toEqual([]);
  });
});
