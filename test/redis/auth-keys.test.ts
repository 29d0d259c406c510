/** Keys over time: rotation with an overlap, the last use, and what is known of a key when a request comes. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { firstStated, limitOfKey } from "../../src/accounts/api-limits.ts";
import { noteUseOn } from "../../src/accounts/key-use.ts";
import { instant } from "../../src/domain/time.ts";
import { keysOf } from "../../src/redis/keys.ts";
import { anIdentity, aKeyOf, composeIdentity, type Identity } from "../support/identity.ts";
import { until } from "../support/until.ts";
import { textOf, type Answer } from "../http/api.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let api: Identity;
let account: string;
let key: string;
let keyId: string;
beforeAll(async () => {
  api = await anIdentity();
});
afterAll(() => api.close());
beforeEach(async () => {
  ({ id: account, key, keyId } = await api.anAccount());
});

const path = (id = keyId): string => `/v1/accounts/${account}/keys/${id}`;
const rotate = (body?: object, id = keyId): Promise<Answer> => api.operate("POST", `${path(id)}/rotate`, body);
const opens = async (credential: string): Promise<boolean> =>
  (await api.ask("GET", "/v1/messages", { key: credential })).status === 200;

describe("a key that is rotated", () => {
  it("by another is none that may do more than that one's account allows it", async () => {
    await api.operate("PATCH", `/v1/accounts/${account}`, { api_limit: { minute: 60 } });
    const admin = await aKeyOf(api, account, { scopes: ["send", "read", "admin"] });
    const rotated = async (fields: object): Promise<number> => {
      const { id } = await aKeyOf(api, account, fields);
      return (await api.ask("POST", `${path(id)}/rotate`, { key: admin.key })).status;
    };
    expect([await rotated({}), await rotated({ api_limit: { minute: 60 } })]).toEqual([201, 201]);
    expect(await rotated({ api_limit: { minute: 61 } })).toBe(403);
  });

  it("holds beside its successor for the overlap, and not a moment longer", async () => {
    await api.operate("PATCH", path(), { name: "Shop", scopes: ["read"], api_limit: { minute: 9 } });
    const token = textOf(await api.token(key), "access_token");
    const rotated = await rotate({ overlap: 600 });
    expect(rotated.status).toBe(201);
    expect(rotated.body).toMatchObject({ name: "Shop", scopes: ["read"], api_limit: { minute: 9 }, expires_at: null });
    expect(Date.parse(String((rotated.body["old_key"] as Record<string, unknown>)["expires_at"]))).toBe(
      Math.floor((api.now() + 10 * MINUTE) / 1_000) * 1_000,
    );
    const successor = textOf(rotated, "key");
    expect((await api.operate("GET", path())).body).toMatchObject({ replaced_by: rotated.body["id"] });
    await api.moveBy(10 * MINUTE - 1);
    expect([await opens(key), await opens(token), await opens(successor)]).toEqual([true, true, true]);
    await api.moveBy(1);
    expect([await opens(key), await opens(token), await opens(successor)]).toEqual([false, false, true]);
  });

  it("holds for a day when nothing is said, also of a body", async () => {
    for (const ask of [() => rotate(), () => rotate({})]) {
      ({ id: account, key, keyId } = await api.anAccount());
      expect((await ask()).status).toBe(201);
      await api.moveBy(DAY - 1);
      expect(await opens(key)).toBe(true);
      await api.moveBy(1);
      expect(await opens(key)).toBe(false);
    }
  });

  it("dies at once without an overlap, and never later than it would have anyway", async () => {
    expect((await rotate({ overlap: 0 })).status).toBe(201);
    expect(await opens(key)).toBe(false);

    const brief = await aKeyOf(api, account, { expires_at: new Date(api.now() + HOUR).toISOString() });
    const rotated = await rotate({ overlap: 30 * 86_400 }, brief.id);
    await api.moveBy(HOUR);
    expect([await opens(brief.key), await opens(textOf(rotated, "key"))]).toEqual([false, false]);
    expect((await rotate({}, brief.id)).status).toBe(404);
  });

  it("every day leaves no heap of dead keys behind", async () => {
    for (let day = 0; day < 6; day++) {
      const rotated = await rotate({ overlap: 3_600 });
      keyId = textOf(rotated, "id");
      await api.moveBy(DAY);
    }
    const { items } = (await api.operate("GET", `/v1/accounts/${account}/keys`)).body as { items: { id: string }[] };
    expect(items.map(({ id }) => id)).toContain(keyId);
    expect(items.length).toBeLessThanOrEqual(2);
    expect(await api.redis.scard(keysOf(api.server.cell).apiKeys(account))).toBe(items.length);
  });

  it("shortly before its overlap is over leaves none behind either, once those are dead", async () => {
    for (let day = 0; day < 6; day++) {
      keyId = textOf(await rotate({ overlap: 3 * 86_400 }), "id");
      await api.moveBy(DAY - 1_000);
    }
    const listed = async (): Promise<number> =>
      ((await api.operate("GET", `/v1/accounts/${account}/keys`)).body["items"] as unknown[]).length;
    // Those that still hold: of three days, the one that was rotated last, and the newest.
    expect(await listed()).toBe(5);
    await api.moveBy(3 * DAY);
    await rotate({ overlap: 0 });
    expect(await listed()).toBe(2);
  });

  it("by two at once makes two successors, each of which holds", async () => {
    const [one, other] = await Promise.all([rotate({ overlap: 60 }), rotate({ overlap: 120 })]);
    expect(await opens(textOf(one, "key"))).toBe(true);
    expect(await opens(textOf(other, "key"))).toBe(true);
    await api.moveBy(MINUTE);
    // The earlier end holds, whoever was first.
    expect(await opens(key)).toBe(false);
  });
});

describe("a key that its account's own key manages, while somebody else does", () => {
  /** Done once, around the first time that a route looks at a key. */
  const around = (before: () => Promise<unknown>, after: () => Promise<unknown>): void => {
    const { get } = api.identity.keys;
    const look: typeof get = async (...asked) => {
      Object.assign(api.identity.keys, { get });
      await before();
      const seen = await get(...asked);
      await after();
      return seen;
    };
    Object.assign(api.identity.keys, { get: look });
  };
  const nothing = () => Promise.resolve();

  it("is not made by one that was revoked meanwhile, without its bounds", async () => {
    const admin = await aKeyOf(api, account, { scopes: ["admin"], api_limit: { minute: 5 } });
    around(() => api.operate("DELETE", path(admin.id)), nothing);
    const made = await api.ask("POST", `/v1/accounts/${account}/keys`, { key: admin.key, body: { scopes: ["admin"] } });
    expect([made.status, made.body["code"]]).toEqual([401, "unauthenticated"]);
    expect(await api.identity.keys.list(account)).toHaveLength(1);
  });

  it.each([
    [{ scopes: ["send", "admin"] }, "insufficient_scope"],
    [{ api_limit: null }, "forbidden"],
  ])("is not rotated into one that may do more, when it was patched with %j meanwhile", async (patch, code) => {
    const bounds = { scopes: ["admin"], api_limit: { minute: 5 } };
    const [admin, other] = [await aKeyOf(api, account, bounds), await aKeyOf(api, account, bounds)];
    around(nothing, () => api.operate("PATCH", path(other.id), patch));
    const rotated = await api.ask("POST", `${path(other.id)}/rotate`, { key: admin.key });
    expect([rotated.status, rotated.body["code"]]).toEqual([403, code]);
    expect((await api.operate("GET", path(other.id))).body["replaced_by"]).toBeNull();
  });
});

describe("an expired key", () => {
  it("opens nothing, is listed until it is revoked, and opens again when it is given more time", async () => {
    await api.operate("PATCH", path(), { expires_at: new Date(api.now() + MINUTE).toISOString() });
    await api.moveBy(MINUTE);
    expect(await opens(key)).toBe(false);
    expect((await api.operate("GET", path())).status).toBe(200);
    await api.operate("PATCH", path(), { expires_at: null });
    expect(await opens(key)).toBe(true);
  });
});

describe("the last use of a key", () => {
  const shown = async (): Promise<string | null> =>
    (await api.operate("GET", path())).body["last_used_at"] as string | null;

  it("is noted to the minute, for its tokens too, and by nobody waiting for it", async () => {
    await api.moveBy(MINUTE - (api.now() % MINUTE) + 7_000);
    const token = textOf(await api.token(key), "access_token");
    const first = await until(shown, { what: "the use" });
    expect(Date.parse(first)).toBe(api.now() - 7_000);
    await api.moveBy(2 * MINUTE);
    expect(await opens(token)).toBe(true);
    await until(async () => (await shown()) !== first, { what: "the next use" });
  });

  it("is written once a minute, however many requests come", async () => {
    let written = 0;
    const counting = {
      run: (...[script, args]: Parameters<typeof api.scripts.run>) => {
        if (script.name === "api-keys-used") written++;
        return api.scripts.run(script, args);
      },
    };
    const { keys } = composeIdentity(api.redis, counting, api.server.cell);
    await Promise.all(Array.from({ length: 30 }, () => keys.authenticate(key)));
    await until(async () => (await keys.get(account, keyId))?.lastUsedAt, { what: "the use" });
    for (let time = 0; time < 10; time++) await keys.authenticate(key);
    expect(written).toBe(1);
    await api.moveBy(MINUTE);
    await keys.authenticate(key);
    expect(written).toBe(2);
  });

  it("that could not be noted fails no request, and the next one notes it", async () => {
    let isAway = true;
    const note = noteUseOn({
      run: (script, args) => (isAway ? Promise.reject(new Error("away")) : api.scripts.run(script, args)),
    });
    const use = () => note({ id: keyId, lastUsedAt: null }, instant(api.now()));
    await use();
    expect(await shown()).toBeNull();
    isAway = false;
    await use();
    expect(await shown()).not.toBeNull();
  });

  it("never goes back, and brings no revoked key back", async () => {
    const note = noteUseOn(api.scripts);
    await note({ id: keyId, lastUsedAt: null }, instant(api.now()));
    const last = await shown();
    await note({ id: keyId, lastUsedAt: null }, instant(api.now() - DAY));
    expect(await shown()).toBe(last);
    await note({ id: "key_gone", lastUsedAt: null }, instant(api.now()));
    expect(await api.redis.exists(keysOf(api.server.cell).apiKey("key_gone"))).toBe(0);
  });
});

describe("what bounds a key's requests", () => {
  const limits = async () => (await api.identity.keys.authenticate(key))?.limits;

  it("is known with the key, each from who states it, and changes with the next request", async () => {
    expect(await limits()).toEqual({ key: null, account: null, plan: null, planLimit: null, ceiling: null });
    await api.operate("PATCH", `/v1/accounts/${account}`, { plan: "scale" });
    expect(await limits()).toMatchObject({ plan: "scale", planLimit: { minute: 3_000 }, ceiling: { minute: 9_000 } });
    await api.operate("PATCH", `/v1/accounts/${account}`, { api_limit: { hour: 7 }, api_ceiling: { hour: 70 } });
    expect(await limits()).toMatchObject({ account: { hour: 7 }, ceiling: { minute: 9_000, hour: 70 } });
    await api.operate("PATCH", path(), { api_limit: { minute: 5 } });
    expect(await limits()).toMatchObject({ key: { minute: 5 } });
    await api.operate("PUT", "/v1/plans/scale", { api_limit: { minute: 11 } });
    expect(await limits()).toMatchObject({ planLimit: { minute: 11 }, ceiling: { hour: 70 } });
    await api.operate("PATCH", path(), { api_limit: null });
    await api.operate("PATCH", `/v1/accounts/${account}`, { plan: null, api_limit: null, api_ceiling: null });
    expect(await limits()).toEqual({ key: null, account: null, plan: null, planLimit: null, ceiling: null });
  });

  it("is the same for its tokens", async () => {
    await api.operate("PATCH", path(), { api_limit: { minute: 5 } });
    const { accessToken } = await api.identity.tokens.exchange(key, null);
    expect((await api.identity.tokens.authenticate(accessToken))?.limits).toEqual(await limits());
  });

  it("goes by the key, then the account, then the plan: window by window", () => {
    const plan = { plan: "p", planLimit: { minute: 60, hour: 1_000 }, ceiling: null };
    expect(limitOfKey({ key: { minute: 5 }, account: { minute: 7, hour: 70 }, ...plan })).toEqual({
      minute: 5,
      hour: 70,
    });
    expect(limitOfKey({ key: null, account: null, ...plan })).toEqual({ minute: 60, hour: 1_000 });
    expect(firstStated(null, {}, null)).toBeNull();
  });
});
