/** A request under a key that its process knows already is held to its limits in the look-up of the key, or not at all. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { loadPolicy } from "../../config/policies.ts";
import { digestOf, newKeyText } from "../../src/accounts/key-text.ts";
import { milliseconds, systemClock } from "../../src/domain/time.ts";
import { limiterOn } from "../../src/ratelimit/limiter.ts";
import type { AdmitBucket } from "../../src/redis/admissions.ts";
import { admit } from "../../src/redis/scripts/admit.ts";
import type { ScriptRunner } from "../../src/redis/script.ts";
import type { ServerOptions } from "../../src/http/services.ts";
import { anApi, type Api } from "../http/api.ts";
import { until } from "../support/until.ts";
import { anIdentity, composeIdentity, type Identity } from "../support/identity.ts";

const MINUTE = 60_000;
const LIMIT = 3;

let api: Identity;
let account: string;
let key: string;
let keyId: string;
let held: { readonly rules: readonly AdmitBucket[] };
beforeAll(async () => {
  api = await anIdentity();
});
afterAll(() => api.close());
beforeEach(async () => {
  ({ id: account, key, keyId } = await api.anAccount());
  const windows = [{ kind: "rolling", length: milliseconds(MINUTE), limit: LIMIT }] as const;
  held = { rules: [{ name: `test:${keyId}`, shadow: false, windows }] };
});

const enter = (text = key, of = api.identity) => of.keys.enter(text, digestOf(text), () => held);
const used = async (): Promise<number> =>
  (await admit(api.scripts, "look", held.rules)).buckets[0]?.[0]?.used ?? Number.NaN;
/** To the minute, it is noted when a key was used last: that is a change of the key too, of which the next look-up learns. */
const noted = async (): Promise<void> => {
  await until(async () => ((await api.identity.keys.get(account, keyId))?.lastUsedAt ?? 0) > api.now() - MINUTE);
  await enter();
};
const path = (): string => `/v1/accounts/${account}/keys/${keyId}`;

/** As another process says it: this one knows nothing of it. */
const elsewhere = () => composeIdentity(api.redis, api.scripts, api.server.cell);

describe("a key that is looked up", () => {
  it("for the first time in a process charges nothing, and the next times what its limits take", async () => {
    expect(await enter()).toMatchObject({ key: { id: keyId }, taken: null });
    await noted();
    expect(await used()).toBe(0);
    for (const admitted of [true, true, true, false]) {
      const entry = await enter();
      expect(entry?.taken).toMatchObject({ held, admission: { admitted, retryIn: admitted ? 0 : MINUTE } });
    }
    expect(await used()).toBe(LIMIT);
    await api.moveBy(MINUTE);
    expect((await enter())?.taken?.admission.admitted).toBe(true);
  });

  it("and has changed meanwhile charges nothing, and is told as it is now", async () => {
    const changes: readonly (readonly [string, string, object, object])[] = [
      ["PATCH", path(), { api_limit: { minute: 5 } }, { key: { minute: 5 } }],
      ["PATCH", path(), { scopes: ["read"] }, {}],
      ["PATCH", `/v1/accounts/${account}`, { api_limit: { hour: 7 } }, { account: { hour: 7 } }],
      ["PATCH", `/v1/accounts/${account}`, { plan: "scale" }, { plan: "scale", planLimit: { minute: 3_000 } }],
      ["PUT", "/v1/plans/scale", { api_limit: { minute: 11 } }, { planLimit: { minute: 11 } }],
    ];
    for (const [method, where, body, limits] of changes) {
      await api.moveBy(MINUTE);
      await enter();
      await noted();
      const before = await used();
      expect((await api.operate(method, where, body)).status).toBeLessThan(300);
      expect(await enter()).toMatchObject({ key: { limits }, taken: null });
      expect(await used()).toBe(before);
      expect((await enter())?.taken?.admission.admitted).toBe(true);
    }
    expect((await enter())?.key.scopes).toEqual(["read"]);
  });

  it("is under its account's own ceiling, and in windows that this one does not state under its plan's", async () => {
    await api.operate("PUT", "/v1/plans/ceiled", { api_ceiling: { minute: 90, hour: 700 } });
    await api.operate("PATCH", `/v1/accounts/${account}`, { plan: "ceiled", api_ceiling: { minute: 10 } });
    expect((await enter())?.key.limits.ceiling).toEqual({ minute: 10, hour: 700 });
  });

  it("and is revoked, expired, or of an account that is gone lets nobody in, and charges nothing", async () => {
    const ends = [
      () => api.operate("DELETE", path()),
      async () => {
        await api.operate("PATCH", path(), { expires_at: new Date(api.now() + 5_000).toISOString() });
        await enter();
        await api.moveBy(5_000);
      },
      () => api.operate("DELETE", `/v1/accounts/${account}`),
    ];
    for (const end of ends) {
      ({ id: account, key, keyId } = await api.anAccount());
      held = { rules: [{ ...held.rules[0]!, name: `test:${keyId}` }] };
      await enter();
      await end();
      expect(await enter()).toBeNull();
      expect(await used()).toBe(0);
    }
  });

  it("by its id and another secret is not asked about limits, and charges nothing", async () => {
    await enter();
    const forged = newKeyText(keyId);
    const asked: string[] = [];
    const entry = await api.identity.keys.enter(forged, digestOf(forged), ({ id }) => {
      asked.push(id);
      return held;
    });
    expect([entry, asked, await used()]).toEqual([null, [], 0]);
  });

  it("by many at once, in this process and another, is charged once for each", async () => {
    const wide = [{ kind: "rolling", length: milliseconds(MINUTE), limit: 1_000 }] as const;
    held = { rules: [{ name: `test:${keyId}:wide`, shadow: false, windows: wide }] };
    const other = elsewhere();
    await Promise.all([enter(), enter(key, other)]);
    await noted();
    await enter(key, other);
    const before = await used();
    const entries = await Promise.all(
      Array.from({ length: 200 }, (_, n) => enter(key, n % 2 === 0 ? api.identity : other)),
    );
    const places = entries.map((entry) => entry?.taken?.admission.buckets[0]?.[0]?.used ?? 0);
    expect(places.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, n) => before + n + 1));
  });

  it("and shares its call with other keys is charged by what became of itself", async () => {
    const [good, gone] = [await api.anAccount(), await api.anAccount()];
    const boundsOf = (id: string) => ({ rules: [{ ...held.rules[0]!, name: `test:${id}` }] });
    const bounds = { [good.keyId]: boundsOf(good.keyId), [gone.keyId]: boundsOf(gone.keyId) };
    const go = (one: typeof good) =>
      api.identity.keys.enter(one.key, digestOf(one.key), () => bounds[one.keyId] ?? null);
    const usedBy = async ({ keyId: id }: typeof good) =>
      (await admit(api.scripts, "look", bounds[id]?.rules ?? [])).buckets[0]?.[0]?.used;
    for (const one of [good, gone]) {
      await go(one);
      await until(async () => ((await api.identity.keys.get(one.id, one.keyId))?.lastUsedAt ?? 0) > api.now() - MINUTE);
      await go(one);
    }
    await api.moveBy(MINUTE);
    await api.operate("DELETE", `/v1/accounts/${gone.id}/keys/${gone.keyId}`);
    const entries = await Promise.all([gone, good, good, gone, good].map(go));
    expect(entries.map((entry) => entry !== null)).toEqual([false, true, true, false, true]);
    expect([await usedBy(good), await usedBy(gone)]).toEqual([3, 0]);
  });
});

describe("a request over HTTP", () => {
  /** What the API asks of Redis about keys and limits, in the order in which it asks. */
  const asked: string[] = [];
  let refused: string | null = null;
  const scripts: ScriptRunner = {
    run: (script, args) => {
      asked.push(script.name);
      return script.name === refused
        ? Promise.reject(new Error("Connection is closed."))
        : api.scripts.run(script, args);
    },
  };
  const limiter = limiterOn({ policy: loadPolicy("sluice"), scripts, clock: systemClock });
  const open: Api[] = [];
  const counted = async (options?: ServerOptions): Promise<Api> => {
    const limits = {
      limiter,
      usage: async () => [],
      events: async () => ({ events: [], after: "" }),
      close: async () => {},
    };
    const made = await anApi({ ...composeIdentity(api.redis, scripts, api.server.cell), limits }, options);
    open.push(made);
    return made;
  };
  const aboutKeys = (): readonly string[] => asked.splice(0).filter((name) => name === "let-in" || name === "admit");
  afterEach(async () => {
    refused = null;
    for (const one of open.splice(0)) await one.close();
  });

  it("has its key and its limits asked in one call, as soon as the key is known", async () => {
    const one = await counted();
    const ask = async (): Promise<readonly string[]> => {
      asked.splice(0);
      expect((await one.ask("GET", "/v1/messages", { key })).status).toBe(200);
      return aboutKeys();
    };
    expect(await ask()).toEqual(["let-in", "admit"]);
    await noted();
    await ask();
    expect([await ask(), await ask()]).toEqual([["let-in"], ["let-in"]]);
  });

  it("is 503 while nobody can say whose it is, however many come, and counts as no one's", async () => {
    const one = await counted();
    refused = "let-in";
    asked.splice(0);
    const answers = await Promise.all(Array.from({ length: 200 }, () => one.ask("GET", "/v1/messages", { key })));
    expect(new Set(answers.map(({ status, body }) => `${status} ${String(body["code"])}`))).toEqual(
      new Set(["503 unavailable"]),
    );
    expect(aboutKeys()).not.toContain("admit");
    refused = null;
    expect((await one.ask("GET", "/v1/messages", { key })).status).toBe(200);
  });

  it("asks nothing of Redis when it is one guess more after many", async () => {
    const one = await counted({ guessLimit: { perSecond: 1, burst: 3 } });
    asked.splice(0);
    const seen: unknown[] = [];
    for (let n = 0; n < 5; n++) {
      const { status } = await one.ask("GET", "/v1/quotas", { key: newKeyText(keyId) });
      seen.push([status, ...aboutKeys()]);
    }
    const lookedAt = [401, "let-in", "admit"];
    expect(seen).toEqual([lookedAt, lookedAt, lookedAt, [429], [429]]);
  });
});
