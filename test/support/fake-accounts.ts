import type { Account, Accounts } from "../../src/accounts/account.ts";
import type { ApiKey, ApiKeys, KnownKey, NewApiKey } from "../../src/accounts/api-key.ts";
import type { Plan, PlanInForce, PlanStore } from "../../src/accounts/plan.ts";
import type { Suppressions } from "../../src/accounts/suppression.ts";
import type { Grant, Tokens } from "../../src/accounts/token.ts";
import { accountNotEmpty, invalidToken, unauthenticated } from "../../src/domain/errors.ts";
import { idOf, newSeed } from "../../src/domain/id.ts";
import { DEFAULT_SCOPES, type KeyScope } from "../../src/domain/key-scope.ts";
import { overPlan } from "../../src/domain/quota-rules.ts";
import { days, instant, minutes, type Instant } from "../../src/domain/time.ts";
import { windowOf } from "../../src/domain/window.ts";
import { onRedis, paged, type FakeState } from "./fake-state.ts";

export const fakeAccounts = (world: FakeState): Accounts => {
  const { accounts, rules } = world;
  const update = (id: string, change: Partial<Account>): Account | null => {
    const account = accounts.get(id);
    if (!account) return null;
    const changed = { ...account, ...change };
    const whole = { ...changed, effectiveQuotas: overPlan(changed.quotas, {}) };
    accounts.set(id, whole);
    return whole;
  };

  return {
    create: async (account) => {
      await onRedis(world);
      const id = idOf("acc", newSeed(world.now));
      const quotas = account.quotas ?? {};
      const made: Account = {
        id,
        name: account.name,
        timezone: account.timezone,
        plan: account.plan ?? null,
        weight: account.weight ?? 1,
        quotas,
        effectiveQuotas: quotas,
        onUncertain: account.onUncertain ?? {},
        apiLimit: account.apiLimit ?? null,
        apiCeiling: account.apiCeiling ?? null,
        paused: [],
        createdAt: world.now,
        status: "active",
      };
      accounts.set(id, made);
      return made;
    },
    get: async (id) => {
      await onRedis(world);
      return accounts.get(id) ?? null;
    },
    list: async (cursor, limit) => paged([...accounts.values()], cursor, limit),
    patch: async (id, { weight, ...patch }) => {
      const before = accounts.get(id);
      const account = update(id, { ...patch, ...(weight === undefined ? {} : { weight: weight ?? 1 }) });
      if (!account || !before) return null;
      const ends = (kind: "hour" | "day" | "month"): Instant => windowOf(kind, world.now, before.timezone).endsAt;
      const zoneChange =
        before.timezone === account.timezone ? null : { hour: ends("hour"), day: ends("day"), month: ends("month") };
      return { account, zoneChange };
    },
    remove: async (id, force) => {
      if (!accounts.has(id)) return "unknown";
      const open = [...world.messages.values()].filter(
        (message) => message.account === id && message.status === "queued",
      );
      if (open.length > 0 && !force) throw accountNotEmpty(open.length);
      if (open.length > 0) return "removing";
      accounts.delete(id);
      return "removed";
    },
    setQuota: async (id, channel, quota) => update(id, { quotas: { ...accounts.get(id)?.quotas, [channel]: quota } }),
    setSenderRule: async (id, rule) => {
      if (!accounts.has(id)) return null;
      rules.set(id, [...(rules.get(id) ?? []), rule]);
      return rule;
    },
    senderRules: async (id) => rules.get(id) ?? [],
    pause: async (id, channel) => {
      world.switches.push(["pause", id, channel]);
      return update(id, { paused: [channel] });
    },
    resume: async (id, channel) => {
      world.switches.push(["resume", id, channel]);
      return update(id, { paused: [] });
    },
  };
};

/** As an account without a plan has it. */
const knownKey = (record: ApiKey, world: FakeState): KnownKey => ({
  ...record,
  seenAt: world.now,
  limits: { key: record.apiLimit, account: null, plan: null, planLimit: null, ceiling: null },
});

export const fakeKeys = (world: FakeState): ApiKeys => {
  const keys = new Map<string, { record: ApiKey; key: string }>();
  const make = (account: string, { name, apiLimit, scopes, expiresAt }: NewApiKey) => {
    const id = idOf("key", newSeed(world.now));
    const key = `sk_${id}_secret`;
    const record: ApiKey = {
      id,
      account,
      name: name ?? null,
      scopes: scopes ?? DEFAULT_SCOPES,
      apiLimit: apiLimit ?? null,
      expiresAt: expiresAt ?? null,
      lastUsedAt: null,
      replacedBy: null,
      createdAt: world.now,
      hint: key.slice(0, 10),
    };
    keys.set(key, { record, key });
    return { record, key };
  };
  const find = (account: string, id: string) =>
    [...keys.values()].find(({ record }) => record.account === account && record.id === id);
  const authenticate = async (key: string): Promise<KnownKey | null> => {
    world.calls.authenticate += 1;
    await onRedis(world);
    const record = keys.get(key)?.record;
    return record ? knownKey(record, world) : null;
  };
  return {
    create: async (account, options) => make(account, options),
    list: async (account) => [...keys.values()].map(({ record }) => record).filter((key) => key.account === account),
    get: async (account, id) => find(account, id)?.record ?? null,
    patch: async (account, id, patch) => {
      const found = find(account, id);
      return found ? (found.record = { ...found.record, ...patch }) : null;
    },
    rotate: async (account, id, overlap, _who, judge) => {
      const old = find(account, id)?.record;
      if (!old) return null;
      await judge?.(old);
      const made = make(account, { scopes: old.scopes });
      return { ...made, oldExpiresAt: instant(world.now + overlap) };
    },
    revoke: async (account, id) => {
      const found = find(account, id);
      return found !== undefined && keys.delete(found.key);
    },
    authenticate,
    enter: async (text) => {
      const key = await authenticate(text);
      return key && { key, seenAt: key.seenAt, taken: null };
    },
    known: async (id) => {
      await onRedis(world);
      const found = [...keys.values()].find(({ record }) => record.id === id);
      return found ? knownKey(found.record, world) : null;
    },
    used: () => {},
  };
};

/** A token is its key and its scopes, for all to read: what makes them safe is shown on Redis. */
export const fakeTokens = (world: FakeState, keys: ApiKeys): Tokens => {
  const grant = (key: KnownKey, scopes: readonly KeyScope[]): Grant => ({
    accessToken: `a.${Buffer.from(JSON.stringify([key.id, scopes])).toString("base64url")}.c`,
    expiresIn: minutes(15),
    refreshToken: `rt_${key.id}`,
    refreshExpiresIn: days(30),
    scopes,
  });
  return {
    exchange: async (apiKey, scopes) => {
      const key = await keys.authenticate(apiKey);
      if (!key) throw unauthenticated("unknown");
      return grant(key, scopes ?? key.scopes);
    },
    refresh: async (token) => {
      const key = await keys.known(token.slice("rt_".length));
      if (!key) throw invalidToken("unknown");
      return grant(key, key.scopes);
    },
    authenticate: async (token) => {
      await onRedis(world);
      const [, text = ""] = token.split(".");
      if (!token.startsWith("a.")) return null;
      const [id, scopes] = JSON.parse(Buffer.from(text, "base64url").toString()) as [string, readonly KeyScope[]];
      const key = await keys.known(id);
      return key && { ...key, scopes };
    },
  };
};

export const fakePlans = (): PlanStore => {
  const plans = new Map<string, PlanInForce>([
    ["starter", { name: "starter", quotas: {}, weight: 1, apiLimit: null, apiCeiling: null, source: "file" }],
  ]);
  const put = (name: string, plan: Plan): PlanInForce => {
    const whole = { ...plan, name, source: "api" } as const;
    plans.set(name, whole);
    return whole;
  };
  return {
    list: async () => [...plans.values()],
    get: async (name) => plans.get(name) ?? null,
    put: async (name, plan) => put(name, plan),
    putAll: async (all) => {
      plans.clear();
      for (const [name, plan] of all) put(name, plan);
      return [...plans.values()];
    },
  };
};

export const fakeSuppressions = (world: FakeState): Suppressions => ({
  add: async (account, channel, address, reason) => {
    const suppression = { channel, address, reason, createdAt: world.now };
    world.suppressed.push({ ...suppression, account });
    return suppression;
  },
  list: async (account, filter, cursor, limit) =>
    paged(
      world.suppressed.filter(
        (one) =>
          one.account === account &&
          one.channel === (filter.channel ?? one.channel) &&
          one.address === (filter.address ?? one.address),
      ),
      cursor,
      limit,
    ),
  remove: async (account, channel, address) => {
    const before = world.suppressed.length;
    world.suppressed = world.suppressed.filter(
      (one) => !(one.account === account && one.channel === channel && one.address === address),
    );
    return world.suppressed.length < before;
  },
});
