/** What the HTTP API stands on, in memory: the interfaces handed in, so that the routes can be seen without a Redis. */
import { pino } from "pino";
import type { Account, SenderRule } from "../../src/accounts/account.ts";
import type { Page } from "../../src/domain/page.ts";
import type { ApiKey } from "../../src/accounts/api-key.ts";
import type { IdempotencyStart, KeptAnswer } from "../../src/accounts/idempotency.ts";
import type { Suppression } from "../../src/accounts/suppression.ts";
import { CHANNELS, type Channel } from "../../src/domain/channel.ts";
import { accountNotEmpty, notReplayable } from "../../src/domain/errors.ts";
import { idOf, newSeed, type IdSeed } from "../../src/domain/id.ts";
import type { Draft, MessageView } from "../../src/domain/message.ts";
import { overPlan } from "../../src/domain/quota-rules.ts";
import { WINDOW_KINDS } from "../../src/domain/quota.ts";
import { instant, milliseconds, type Instant, type MonotonicMillis } from "../../src/domain/time.ts";
import { parseTimestamp } from "../../src/domain/timestamp.ts";
import { windowOf } from "../../src/domain/window.ts";
import type { LevelUse, UsageRow } from "../../src/gate/looking.ts";
import type { Accepted, BatchRequest } from "../../src/gate/sending.ts";
import type { Arrival, Readiness, Services } from "../../src/http/services.ts";

export const ADMIN_KEY = "admin-key-of-this-test";

const paged = <T>(all: readonly T[], cursor: string | null, limit: number): Page<T> => {
  const from = cursor === null ? 0 : Number(cursor);
  const items = all.slice(from, from + limit);
  return { items, nextCursor: from + limit < all.length ? String(from + limit) : null };
};

const byChannel = <Value>(value: Value): { [channel in Channel]: Value } => ({
  email: value,
  sms: value,
  voice: value,
  whatsapp: value,
});

export interface FakeWorld {
  readonly services: Services;
  /** Everything the gate was given, in order. */
  readonly drafts: Draft[];
  readonly batches: BatchRequest[];
  readonly messages: Map<string, MessageView>;
  readonly arrivals: Arrival[];
  readonly answered: { route: string; method: string; status: number }[];
  readonly switches: [verb: string, account: string | null, channel: Channel][];
  readonly calls: { authenticate: number };
  readonly logged: Record<string, unknown>[];
  readonly usage: UsageRow[];
  /** What everything that stands on Redis throws from now on; null: all is well. */
  trouble: Error | null;
  /** When the gate says that a message would go. */
  estimate: Instant | null;
  /** Awaited before the gate takes anything. */
  before: (() => Promise<void>) | null;
  ready: Readiness;
  now: Instant;
  monotonic: number;
}

export const fakeWorld = (overrides: Partial<Services> = {}): FakeWorld => {
  const accounts = new Map<string, Account>();
  const rules = new Map<string, SenderRule[]>();
  const keys = new Map<string, { record: ApiKey; key: string }>();
  const kept = new Map<string, { fingerprint: string; seed: IdSeed; answer: KeptAnswer | null; running: boolean }>();
  let suppressed: (Suppression & { account: string })[] = [];
  const batchOf = new Map<string, { account: string; ids: string[]; createdAt: Instant }>();

  const world: FakeWorld = {
    drafts: [],
    batches: [],
    messages: new Map(),
    arrivals: [],
    answered: [],
    switches: [],
    calls: { authenticate: 0 },
    logged: [],
    usage: [],
    trouble: null,
    estimate: null,
    before: null,
    ready: {
      ok: true,
      reasons: [],
      redis: { reachable: true, version: "7.0.15" },
      persistence: { append_only: true, fsync: "always", eviction: "noeviction" },
      workers: 1,
      tz_release: "2025c",
    },
    now: parseTimestamp("2026-03-01T04:29:00Z")!,
    monotonic: 0,
    services: undefined as unknown as Services,
  };

  const onRedis = async (): Promise<void> => {
    if (world.trouble) throw world.trouble;
  };
  const update = (id: string, change: Partial<Account>): Account | null => {
    const account = accounts.get(id);
    if (!account) return null;
    const changed = { ...account, ...change };
    const whole = { ...changed, effectiveQuotas: overPlan(changed.quotas, {}) };
    accounts.set(id, whole);
    return whole;
  };

  const accept = (account: string, draft: Draft, id: string, batchId: string | null): Accepted => {
    world.drafts.push(draft);
    const isSuppressed = suppressed.some(
      (one) => one.account === account && one.channel === draft.channel && one.address === draft.recipient,
    );
    const status = isSuppressed ? "suppressed" : draft.sendAt !== undefined ? "scheduled" : "queued";
    const view: MessageView = {
      id,
      account,
      channel: draft.channel,
      status,
      class: draft.class,
      sender: draft.sender,
      recipient: draft.recipient,
      createdAt: world.now,
      sendAt: draft.sendAt ?? null,
      expiresAt: draft.expiresAt ?? null,
      endedAt: null,
      reference: draft.reference ?? null,
      metadata: draft.metadata ?? null,
      batchId,
      content: draft.content,
      attempts: [],
      heldBy: status === "scheduled" ? "schedule" : null,
      estimatedSendAt: draft.sendAt ?? world.now,
      position: 1,
      reason: null,
      providerId: null,
    };
    if (!world.messages.has(id)) world.messages.set(id, view);
    return {
      id,
      channel: draft.channel,
      status,
      heldBy: view.heldBy,
      estimatedSendAt: view.estimatedSendAt,
      createdAt: world.now,
    };
  };
  const own = (account: string, id: string): MessageView | null => {
    const message = world.messages.get(id);
    return message?.account === account ? message : null;
  };

  const services: Services = {
    accounts: {
      create: async (account) => {
        await onRedis();
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
        await onRedis();
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
    },
    keys: {
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
        await onRedis();
        return keys.get(key)?.record ?? null;
      },
    },
    suppressions: {
      add: async (account, channel, address, reason) => {
        const suppression = { channel, address, reason, createdAt: world.now };
        suppressed.push({ ...suppression, account });
        return suppression;
      },
      list: async (account, filter, cursor, limit) =>
        paged(
          suppressed.filter(
            (one) =>
              one.account === account &&
              one.channel === (filter.channel ?? one.channel) &&
              one.address === (filter.address ?? one.address),
          ),
          cursor,
          limit,
        ),
      remove: async (account, channel, address) => {
        const before = suppressed.length;
        suppressed = suppressed.filter(
          (one) => !(one.account === account && one.channel === channel && one.address === address),
        );
        return suppressed.length < before;
      },
    },
    idempotency: {
      start: async (account, route, key, fingerprint): Promise<IdempotencyStart> => {
        await onRedis();
        const name = `${account} ${route} ${key}`;
        const before = kept.get(name);
        if (before && before.fingerprint !== fingerprint && (before.running || before.answer))
          return { kind: "mismatch" };
        if (before?.answer) return { kind: "replay", answer: before.answer };
        if (before?.running) return { kind: "running" };
        const seed = before?.seed ?? newSeed(world.now);
        kept.set(name, { fingerprint, seed, answer: null, running: true });
        return { kind: "fresh", seed };
      },
      keep: async (account, route, key, _fingerprint, answer) => {
        await onRedis();
        Object.assign(kept.get(`${account} ${route} ${key}`)!, { answer, running: false });
      },
      release: async (account, route, key) => {
        Object.assign(kept.get(`${account} ${route} ${key}`)!, { running: false });
      },
    },
    sending: {
      accept: async (account, drafts, seed) => {
        await onRedis();
        await world.before?.();
        return drafts.map((draft, index) => accept(account, draft, idOf("msg", seed, index), null));
      },
      acceptBatch: async (account, batch, drafts, seed) => {
        await onRedis();
        world.batches.push(batch);
        const batchId = idOf("bat", seed);
        const messages = drafts.map((draft, index) => accept(account, draft, idOf("msg", seed, index), batchId));
        batchOf.set(batchId, { account, ids: messages.map(({ id }) => id), createdAt: world.now });
        return { batchId, messages };
      },
      estimate: async () => world.estimate,
      cancel: async (account, id) => {
        const message = own(account, id);
        if (!message) return { kind: "unknown" };
        if (message.status === "sending") return { kind: "already_sending" };
        if (message.endedAt !== null) return { kind: "already_final", state: message.status };
        world.messages.set(id, { ...message, status: "canceled", endedAt: world.now });
        return { kind: "canceled" };
      },
      cancelBatch: async (account, id) => {
        const batch = batchOf.get(id);
        return batch?.account === account ? { canceled: batch.ids.length, left: 0 } : null;
      },
      batch: async (account, id) => {
        const batch = batchOf.get(id);
        if (batch?.account !== account) return null;
        return { id, total: batch.ids.length, createdAt: batch.createdAt, counts: { queued: batch.ids.length } };
      },
      replay: async (account, id, seed) => {
        const message = own(account, id);
        if (!message) return null;
        if (message.status !== "failed") throw notReplayable(id, message.status);
        const draft: Draft = {
          channel: message.channel,
          sender: message.sender,
          recipient: message.recipient,
          class: message.class,
          content: message.content!,
        };
        return accept(account, draft, idOf("msg", seed), null);
      },
    },
    looking: {
      message: async (account, id) => {
        await onRedis();
        return own(account, id);
      },
      messages: async (account, filter, cursor, limit) =>
        paged(
          [...world.messages.values()]
            .filter(
              (message) =>
                message.account === account &&
                message.status === (filter.status ?? message.status) &&
                message.channel === (filter.channel ?? message.channel) &&
                message.reference === (filter.reference ?? message.reference) &&
                message.batchId === (filter.batchId ?? message.batchId),
            )
            .toReversed(),
          cursor,
          limit,
        ),
      quotas: async (id) => {
        const account = accounts.get(id);
        if (!account) return null;
        const level = (quota: { readonly [kind: string]: number | null | undefined }): LevelUse =>
          Object.fromEntries(
            WINDOW_KINDS.map((kind) => [
              kind,
              {
                limit: quota[kind] ?? null,
                used: 2,
                held: 1,
                window: windowOf(kind, world.now, account.timezone),
              },
            ]),
          ) as unknown as LevelUse;
        return {
          timezone: account.timezone,
          channels: Object.fromEntries(
            CHANNELS.map((channel) => [channel, level(account.quotas[channel] ?? {})]),
          ) as unknown as { [channel in Channel]: LevelUse },
          all: level(account.quotas.all ?? {}),
          senders: (rules.get(id) ?? []).map(({ channel, sender, quota }) => ({ channel, sender, use: level(quota) })),
        };
      },
      queues: async (account) =>
        byChannel({
          queued: 3,
          throttled: 1,
          scheduled: 0,
          sending: 0,
          oldestAt: account === null ? null : world.now,
          ratePerSecond: 14,
          drainsAt: null,
          paused: false,
          ...(account === null ? { jobs: { waiting: 2, active: 1 } } : {}),
        }),
      usage: async (_account, { from, to, channel }) =>
        world.usage.filter(
          (row) => row.startsAt >= from && row.startsAt < to && row.channel === (channel ?? row.channel),
        ),
      now: async () => {
        await onRedis();
        return world.now;
      },
    },
    control: {
      pause: async (account, channel) => void world.switches.push(["pause", account, channel]),
      resume: async (account, channel) => void world.switches.push(["resume", account, channel]),
    },
    health: {
      ready: async () => {
        await onRedis();
        return world.ready;
      },
    },
    metrics: {
      contentType: "text/plain; version=0.0.4; charset=utf-8",
      text: async () => "sluice_up 1\n",
      answered: ({ route, method, status }) => void world.answered.push({ route, method, status }),
    },
    sandbox: {
      list: async ({ channel, limit }) =>
        world.arrivals.filter((arrival) => arrival.channel === (channel ?? arrival.channel)).slice(0, limit),
      page: (arrivals, { origin }) =>
        `<!doctype html><title>Sandbox</title><p>${arrivals.length} at ${origin.length}</p>`,
      pagePolicy: "default-src 'none'",
    },
    channels: {
      email: { configured: true, variable: "SMTP_URL", defaultFrom: null },
      sms: { configured: true, variable: "TWILIO_ACCOUNT_SID", defaultFrom: "+15005550006" },
      voice: { configured: true, variable: "TWILIO_ACCOUNT_SID", defaultFrom: null },
      whatsapp: { configured: false, variable: "TWILIO_ACCOUNT_SID", defaultFrom: null },
    },
    plans: ["starter"],
    adminKey: ADMIN_KEY,
    clock: { now: () => world.now, monotonic: () => milliseconds(world.monotonic) as unknown as MonotonicMillis },
    logger: pino({ level: "debug" }, { write: (line) => void world.logged.push(JSON.parse(line)) }),
    ...overrides,
  };
  return Object.assign(world, { services });
};

export const at = (text: string): Instant => parseTimestamp(text) ?? instant(Number.NaN);
