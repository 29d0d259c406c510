import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { accountsOn } from "../../src/accounts/accounts.ts";
import { apiKeysOn } from "../../src/accounts/api-keys.ts";
import { idInKey, newKeyText } from "../../src/accounts/key-text.ts";
import { idOf, newSeed } from "../../src/domain/id.ts";
import { instant, seconds, systemClock } from "../../src/domain/time.ts";
import { keysOf, type Keys } from "../../src/redis/keys.ts";
import { scriptRunner, type ScriptRunner } from "../../src/redis/script.ts";
import { notedControl } from "../support/noted-control.ts";
import { testRedis, type TestRedis } from "../support/redis.ts";

let server: TestRedis;
let redis: Redis;
let keys: Keys;
let scripts: ScriptRunner;

beforeAll(async () => {
  server = await testRedis();
  redis = server.connect();
  keys = keysOf(server.cell);
  scripts = scriptRunner(redis, server.cell);
});
afterAll(() => server.close());

const apiKeys = (on = scripts) => apiKeysOn({ redis, keys, scripts: on, clock: systemClock });
const accounts = () =>
  accountsOn({ redis, keys, scripts, control: notedControl(redis, keys), plans: new Map(), clock: systemClock });
const anAccount = () => accounts().create({ name: "Post", timezone: "UTC" });

/** One that must not be asked. */
const noScripts: ScriptRunner = { run: () => Promise.reject(new Error("Redis was asked")) };

const made = async (account: string, options: Parameters<ReturnType<typeof apiKeys>["create"]>[1] = {}) => {
  const key = await apiKeys().create(account, options);
  if (!key) throw new Error("no key");
  return key;
};

describe("an API key", () => {
  it("opens its account, and says which key it was and what it may", async () => {
    const { id } = await anAccount();
    const { record, key } = await made(id, { name: "ci", apiLimit: { minute: 5 } });
    expect(key).toMatch(/^sk_[0-9A-Z]{26}[0-9A-Za-z]{49}$/);
    expect(record).toMatchObject({ account: id, name: "ci", apiLimit: { minute: 5 } });
    const limits = { key: { minute: 5 }, account: null, plan: null, planLimit: null, ceiling: null };
    expect(await apiKeys().authenticate(key)).toEqual({ ...record, limits, seenAt: expect.any(Number) });
  });

  it("is kept as a SHA-256 and nothing else: no part of its secret stands in Redis", async () => {
    const { id } = await anAccount();
    const { record, key } = await made(id);
    const kept = await redis.hgetall(keys.apiKey(record.id));
    expect(kept["digest"]).toBe(createHash("sha256").update(key).digest("hex"));
    expect(key.startsWith(record.hint)).toBe(true);
    expect(JSON.stringify(kept)).not.toContain(key.slice(record.hint.length, record.hint.length + 4));
  });

  it("with any one character changed opens nothing, and Redis is not asked", async () => {
    const { id } = await anAccount();
    const { key } = await made(id);
    for (let at = 0; at < key.length; at++) {
      const changed = key.slice(0, at) + (key[at] === "7" ? "8" : "7") + key.slice(at + 1);
      expect(await apiKeys(noScripts).authenticate(changed)).toBeNull();
    }
  });

  it.each(["", "sk_", "Bearer x", "sk_".repeat(40), "\0", "sk_" + "é".repeat(75)])(
    "is not %j, and Redis is not asked",
    async (text) => {
      expect(await apiKeys(noScripts).authenticate(text)).toBeNull();
    },
  );

  it("that has the right form and another secret opens nothing", async () => {
    const { id } = await anAccount();
    const { record } = await made(id);
    const forged = newKeyText(record.id);
    expect(idInKey(forged)).toBe(record.id);
    expect(await apiKeys().authenticate(forged)).toBeNull();
    expect(await apiKeys().authenticate(newKeyText(idOf("key", newSeed(instant(1)))))).toBeNull();
  });

  it("never comes twice, also at the same millisecond", () => {
    const id = idOf("key", newSeed(instant(1_700_000_000_000)));
    expect(new Set(Array.from({ length: 1_000 }, () => newKeyText(id))).size).toBe(1_000);
  });

  it("that is revoked opens nothing from that moment on, and saying it again is no mistake", async () => {
    const { id } = await anAccount();
    const { record, key } = await made(id);
    expect(await apiKeys().revoke(id, record.id)).toBe(true);
    expect(await apiKeys().authenticate(key)).toBeNull();
    expect(await apiKeys().revoke(id, record.id)).toBe(true);
    expect(await apiKeys().list(id)).toEqual([]);
    // It leaves by itself.
    expect(await redis.pttl(keys.apiKey(record.id))).toBeGreaterThan(0);
  });

  it("is not revoked by another account", async () => {
    const [mine, other] = [await anAccount(), await anAccount()];
    const { record, key } = await made(mine.id);
    expect(await apiKeys().revoke(other.id, record.id)).toBe(false);
    expect(await apiKeys().revoke(mine.id, "key_00000000000000000000000000")).toBe(false);
    expect(await apiKeys().authenticate(key)).not.toBeNull();
  });

  it("is listed with its account's others, oldest first, without its secret", async () => {
    const { id } = await anAccount();
    const records = [];
    for (const name of ["one", "two", "three"]) records.push((await made(id, { name })).record);
    const listed = await apiKeys().list(id);
    expect(listed).toEqual([...records].sort((a, b) => (a.id < b.id ? -1 : 1)));
    expect(await apiKeys().list("acc_00000000000000000000000000")).toEqual([]);
  });

  it("is made for no account that is not there", async () => {
    expect(await apiKeys().create("acc_00000000000000000000000000", {})).toBeNull();
    expect(await redis.exists(keys.apiKeys("acc_00000000000000000000000000"))).toBe(0);
  });

  it("dies with its account: at once when the removal begins, and for good", async () => {
    const { id } = await anAccount();
    const { key, record } = await made(id);
    await redis.hset(keys.account(id), "open", 1);
    const control = notedControl(redis, keys);
    control.cancelSome = () => Promise.resolve(1);
    const removing = accountsOn({ redis, keys, scripts, control, plans: new Map(), clock: systemClock });
    expect(await removing.remove(id, true)).toBe("removing");
    expect(await apiKeys().authenticate(key)).toBeNull();
    expect(await apiKeys().create(id, {})).toBeNull();
    // Nor is one made in its place, which would open nothing, or changed; revoking it is no lie.
    expect(await apiKeys().rotate(id, record.id, seconds(60))).toBeNull();
    expect(await apiKeys().patch(id, record.id, { name: "x" })).toBeNull();
    expect(await apiKeys().list(id)).toHaveLength(1);
    await redis.hset(keys.account(id), "open", 0);
    expect(await accounts().finishRemovals()).toBe(0);
    expect(await redis.exists(keys.apiKey(record.id), keys.apiKeys(id))).toBe(0);
  });
});
