import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { suppressionsOn } from "../../src/accounts/suppressions.ts";
import type { Page } from "../../src/domain/page.ts";
import type { Suppression } from "../../src/accounts/suppression.ts";
import { instant, type Clock, systemClock } from "../../src/domain/time.ts";
import { keysOf, type Keys } from "../../src/redis/keys.ts";
import { testRedis, type TestRedis } from "../support/redis.ts";

let server: TestRedis;
let redis: Redis;
let keys: Keys;
let now = 1_000;
const clock: Clock = { ...systemClock, now: () => instant(now++) };

beforeAll(async () => {
  server = await testRedis();
  redis = server.connect();
  keys = keysOf(server.cell);
});
afterAll(() => server.close());

const suppressions = () => suppressionsOn({ redis, keys, clock });

const everyPage = async (next: (cursor: string | null) => Promise<Page<Suppression>>, each = async () => {}) => {
  const pages: (readonly Suppression[])[] = [];
  for (let cursor: string | null = null; pages.length === 0 || cursor !== null; await each()) {
    const page = await next(cursor);
    pages.push(page.items);
    cursor = page.nextCursor;
  }
  return pages;
};

describe("a suppression", () => {
  it("stands where the gate looks for it, in lower case", async () => {
    await suppressions().add("acc_1", "email", "Someone@Example.ORG", "asked us to stop");
    expect(await redis.hexists(keys.suppressions("acc_1"), "email|someone@example.org")).toBe(1);
  });

  it("keeps its first reason and time, however often it is added", async () => {
    const first = await suppressions().add("acc_2", "sms", "+15550100", "asked us to stop");
    const second = await suppressions().add("acc_2", "sms", "+15550100", "no such user");
    expect(second).toEqual(first);
    expect(first).toMatchObject({ channel: "sms", address: "+15550100", reason: "asked us to stop" });
    expect((await suppressions().list("acc_2", {}, null, 10)).items).toEqual([first]);
  });

  it("belongs to one account and one channel", async () => {
    await suppressions().add("acc_3", "sms", "+15550100", "x");
    expect((await suppressions().list("acc_4", {}, null, 10)).items).toEqual([]);
    expect(await redis.hexists(keys.suppressions("acc_3"), "whatsapp|+15550100")).toBe(0);
    expect(await suppressions().remove("acc_3", "whatsapp", "+15550100")).toBe(false);
    expect((await suppressions().list("acc_3", {}, null, 10)).items).toHaveLength(1);
  });

  it("goes when it is removed, however it is spelt, and leaves no key when it was the last", async () => {
    await suppressions().add("acc_5", "email", "a@b.org", "x");
    expect(await suppressions().remove("acc_5", "email", "A@B.org")).toBe(true);
    expect(await suppressions().remove("acc_5", "email", "a@b.org")).toBe(false);
    expect(await redis.exists(keys.suppressions("acc_5"), keys.suppressionOrder("acc_5"))).toBe(0);
  });
});

describe("the list of suppressions", () => {
  const addresses = Array.from({ length: 25 }, (_, n) => `u${String(n).padStart(2, "0")}@example.org`);
  beforeAll(async () => {
    for (const address of addresses) await suppressions().add("acc_list", "email", address, "x");
    await suppressions().add("acc_list", "sms", "+15550100", "x");
    await suppressions().add("acc_list", "whatsapp", "+15550100", "y");
  });

  it("comes by pages that hold no more than was asked for, each address once, in order", async () => {
    const pages = await everyPage((cursor) => suppressions().list("acc_list", {}, cursor, 10));
    expect(pages.map((page) => page.length)).toEqual([10, 10, 7]);
    expect(pages.flat().map((one) => one.address)).toEqual([...addresses, "+15550100", "+15550100"]);
  });

  it("misses nothing that was there all along while others come and go between pages", async () => {
    let n = 0;
    const pages = await everyPage(
      (cursor) => suppressions().list("acc_list", { channel: "email" }, cursor, 4),
      async () => {
        await suppressions().add("acc_list", "email", `u0${n}-new@example.org`, "x");
        await suppressions().remove("acc_list", "email", `u0${n - 1}-new@example.org`);
        n++;
      },
    );
    const seen = pages.flat().map((one) => one.address);
    expect(seen.filter((address) => addresses.includes(address))).toEqual(addresses);
  });

  it("can be asked for one channel, or for one address on all of them", async () => {
    const { items: sms } = await suppressions().list("acc_list", { channel: "sms" }, null, 10);
    expect(sms.map((one) => [one.channel, one.address])).toEqual([["sms", "+15550100"]]);
    const { items, nextCursor } = await suppressions().list("acc_list", { address: "+15550100" }, null, 10);
    expect(items.map((one) => one.channel)).toEqual(["sms", "whatsapp"]);
    expect(nextCursor).toBeNull();
    const both = await suppressions().list("acc_list", { channel: "email", address: "U03@example.org" }, null, 10);
    expect(both.items.map((one) => one.address)).toEqual(["u03@example.org"]);
  });
});
