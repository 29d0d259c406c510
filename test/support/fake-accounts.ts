import type { Account, Accounts } from "../../src/accounts/account.ts";
import type { ApiKey, ApiKeys } from "../../src/accounts/api-key.ts";
import type { Suppressions } from "../../src/accounts/suppression.ts";
import { accountNotEmpty } from "../../src/domain/errors.ts";
import { idOf, newSeed } from "../../src/domain/id.ts";
import { overPlan } from "../../src/domain/quota-rules.ts";
import type { Instant } from "../../src/domain/time.ts";
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

export const fakeKeys = (world: FakeState): ApiKeys => {
  const keys = new Map<string, { record: ApiKey; key: string }>();
  return {
    create: async (account, { name, apiLimit }) => {
      const id = idOf("key", newSeed(world.now));
      const key = `sk_${id}_secret`;
      const record: ApiKey = {
        id,
        account,
        name: name ?? null,
        apiLimit: apiLimit ?? null,
        createdAt: world.now,
        hint: key.slice(0, 10),
      };
      keys.set(key, { record, key });
      return { record, key };
    },
    list: async (account) => [...keys.values()].map(({ record }) => record).filter((key) => key.account === account),
    revoke: async (account, id) => {
      const found = [...keys.values()].find(({ record }) => record.account === account && record.id === id);
      return found !== undefined && keys.delete(found.key);
    },
    authenticate: async (key) => {
      world.calls.authenticate += 1;
      await onRedis(world);
      return keys.get(key)?.record ?? null;
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
