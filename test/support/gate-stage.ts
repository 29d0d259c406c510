/**
 * The gate's scripts on a stage: one cell, time moved by hand, accounts and messages made in a line, and every script of
 * it under its own name. A mutation plays the same scripts with one piece of their text replaced: a check that still
 * holds then proves nothing.
 */
import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { CHANNELS, type Channel, type Class } from "../../src/domain/channel.ts";
import { idOf, type IdSeed } from "../../src/domain/id.ts";
import type { Scope, WindowKind } from "../../src/domain/quota.ts";
import { instant, milliseconds, type Instant } from "../../src/domain/time.ts";
import type { Cell } from "../../src/redis/keys.ts";
import { scriptRunner, type Script, type ScriptRunner } from "../../src/redis/script.ts";
import { accept } from "../../src/redis/scripts/accept.ts";
import { asked, type Answer } from "../../src/redis/scripts/asked.ts";
import { askingDue, type Doubtful } from "../../src/redis/scripts/asking-due.ts";
import { beat } from "../../src/redis/scripts/beat.ts";
import { begin, type Begun, type Release } from "../../src/redis/scripts/begin.ts";
import { cancel } from "../../src/redis/scripts/cancel.ts";
import { expire } from "../../src/redis/scripts/expire.ts";
import { heard } from "../../src/redis/scripts/heard.ts";
import { openBatch } from "../../src/redis/scripts/open-batch.ts";
import { purge } from "../../src/redis/scripts/purge.ts";
import { putZoneRow } from "../../src/redis/scripts/put-zone-row.ts";
import { reap } from "../../src/redis/scripts/reap.ts";
import { release, RELEASE_BOUNDS, type ReleaseBounds, type Released } from "../../src/redis/scripts/release.ts";
import { rerelease } from "../../src/redis/scripts/rerelease.ts";
import { setChannel, type ChannelChange } from "../../src/redis/scripts/set-channel.ts";
import { setLimits } from "../../src/redis/scripts/set-limits.ts";
import { setPause } from "../../src/redis/scripts/set-pause.ts";
import { setSenderRate } from "../../src/redis/scripts/set-sender-rate.ts";
import { settle, type Settlement } from "../../src/redis/scripts/settle.ts";
import { stuck } from "../../src/redis/scripts/stuck.ts";
import { tick } from "../../src/redis/scripts/tick.ts";
import { unrelease } from "../../src/redis/scripts/unrelease.ts";
import { changeRow, readRow, unpackRows } from "./rows.ts";

/** One piece of Lua replaced by another: in one script, or in all that hold it (a part of lib). */
export interface Mutation {
  readonly script?: string;
  readonly find: string;
  readonly replace: string;
}

export interface StageOptions {
  readonly hands?: number;
  /** False: the clock of the server instead of the one that is moved by hand. */
  readonly testClock?: boolean;
  readonly mutations?: readonly Mutation[];
}

/** Midnight UTC, and the first of a month. */
export const T0 = 1_767_225_600_000;
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const REAP_IN = milliseconds(25_000);
const RETENTION = { bodies: milliseconds(DAY), records: milliseconds(7 * DAY) };

const every = (length: number, from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => (from + i) * length);
const instants = (list: readonly number[]): string => list.map((ms) => T0 + ms).join(" ");

/** A zone's row from boundaries in ms after T0; windows that are not named are as UTC has them, four days of hours. */
export const row = (
  own: { hour?: readonly number[]; day?: readonly number[]; month?: readonly number[] } = {},
  tz = "t1",
): string => {
  const { hour = every(HOUR, -2, 96), day = every(DAY, -1, 4), month = [-10 * DAY, 20 * DAY, 50 * DAY] } = own;
  return `${tz};h ${instants(hour)};d ${instants(day)};m ${instants(month)}`;
};

/** `A|account`, `C|account|channel`, `S|account|channel|sender`, as the scripts name their rows. */
export const scopeOf = (name: string): Scope => {
  const [level, account = "", channel = "", ...sender] = name.split("|");
  if (level === "A") return { level: "account", account };
  if (level === "C") return { level: "channel", account, channel: channel as Channel };
  return { level: "sender", account, channel: channel as Channel, sender: sender.join("|") };
};

const program = (text: string) => ({ text, sha: createHash("sha1").update(text).digest("hex") });

const mutated = (script: Script, mutations: readonly Mutation[], matched: (mutation: Mutation) => void): Script => {
  const change = (text: string): string =>
    mutations.reduce((whole, mutation) => {
      if (mutation.script !== undefined && mutation.script !== script.name) return whole;
      if (!whole.includes(mutation.find)) return whole;
      matched(mutation);
      return whole.replaceAll(mutation.find, () => mutation.replace);
    }, text);
  return { name: script.name, server: program(change(script.server.text)), test: program(change(script.test.text)) };
};

const mutating = (
  inner: ScriptRunner,
  mutations: readonly Mutation[],
  matched: (m: Mutation) => void,
): ScriptRunner => {
  const known = new Map<Script, Script>();
  return {
    run: (script, args) => {
      const other = known.get(script) ?? mutated(script, mutations, matched);
      known.set(script, other);
      return inner.run(other, args);
    },
  };
};

export interface PutOptions {
  readonly channel?: Channel;
  readonly class?: Class;
  readonly sender?: string;
  readonly recipient?: string;
  /** ms after T0 */
  readonly sendAt?: number;
  readonly expiresAt?: number;
  readonly batch?: string;
  /** As one bulk: under ids of one seed, so that their records are rows of its batch. */
  readonly bulk?: boolean;
  /** How many the bulk was to be of, where it broke off. */
  readonly total?: number;
}

export type SettleMore = Partial<Omit<Settlement, "id" | "release" | "action">>;

export const gateStage = async (redis: Redis, cell: Cell, options: StageOptions = {}) => {
  const { hands = 5, testClock = true, mutations = [] } = options;
  const matched = new Set<Mutation>();
  const scripts = mutating(scriptRunner(redis, cell, { testClock }), mutations, (mutation) => matched.add(mutation));
  const owner = new Map<string, string>();
  let now = 0;
  let made = 0;
  let bulks = 0;

  const beatAll = (live = true, worker = "w"): Promise<number> =>
    beat(scripts, worker, Object.fromEntries(CHANNELS.map((channel) => [channel, hands])), live);

  /** Moves the clock, and lets the workers beat at the new time. */
  const at = async (ms: number): Promise<void> => {
    now = ms;
    await redis.set(`${cell}test_clock`, T0 + ms);
    await beatAll();
  };

  const put = async (account: string, count: number, more: PutOptions = {}): Promise<string[]> => {
    const seed = `0000000000${String(++bulks).padStart(11, "0")}` as IdSeed;
    const messages = Array.from({ length: count }, (_, n) => ({
      id: more.bulk ? idOf("msg", seed, n) : `m${++made}`,
      channel: more.channel ?? "email",
      class: more.class ?? "low",
      sender: more.sender ?? "s0@x.org",
      recipient: more.recipient ?? "r@y.org",
      sendAt: more.sendAt === undefined ? null : instant(T0 + more.sendAt),
      expiresAt: more.expiresAt === undefined ? null : instant(T0 + more.expiresAt),
      kept: "{}",
      body: '{"text":"hello"}',
    }));
    const [shared] = messages;
    const batch = more.bulk ? idOf("bat", seed) : (more.batch ?? null);
    if (more.bulk && batch && shared)
      await openBatch(scripts, {
        id: batch,
        account,
        channel: shared.channel,
        total: more.total ?? count,
        template: null,
        shared,
      });
    for (let from = 0; from < count; from += 200)
      await accept(scripts, account, 1e9, batch, messages.slice(from, from + 200));
    for (const { id } of messages) owner.set(id, account);
    return messages.map(({ id }) => id);
  };

  const settleAll = (
    pairs: readonly Release[],
    action: Settlement["action"],
    more: SettleMore = {},
    token = "T",
  ): ReturnType<typeof settle> => {
    const rest = { delay: milliseconds(0), tries: 0 as const, mostTries: 3, close: null, record: null };
    return settle(
      scripts,
      pairs.map(({ id, release: number }) => ({ ...rest, ...more, token, id, release: number, action })),
    );
  };

  const releaseCall = (channel: Channel = "email", parcel = 1, bounds?: Partial<ReleaseBounds>): Promise<Released> =>
    release(scripts, channel, parcel, { ...RELEASE_BOUNDS, ...bounds });

  /** What one call of release lets go, in order. */
  const released = async (channel: Channel = "email"): Promise<Release[]> =>
    (await releaseCall(channel)).jobs.flatMap((job) => job.messages.map(([id, number]) => ({ id, release: number })));

  const beginAll = (pairs: readonly Release[], token = "T"): Promise<readonly Begun[]> =>
    begin(
      scripts,
      REAP_IN,
      pairs.map((pair) => ({ ...pair, token })),
    );

  /** Releases, begins and settles as sent until nothing more may go; answers the ids in the order in which they went. */
  const drain = async (channel: Channel = "email"): Promise<string[]> => {
    const gone: string[] = [];
    for (;;) {
      const reply = await releaseCall(channel);
      const pairs = reply.jobs.flatMap((job) => job.messages.map(([id, number]) => ({ id, release: number })));
      if (pairs.length === 0 && !reply.more) return gone;
      const begun = await beginAll(pairs);
      const going = pairs.filter((_, i) => begun[i]?.kind === "go");
      if (going.length === 0 && pairs.length > 0) return gone;
      await settleAll(going, "sent");
      gone.push(...going.map(({ id }) => id));
    }
  };

  const fields = (name: string) => readRow(redis, cell + name);
  /** scheduled, queued, released, sending, or an end. */
  const state = async (id: string): Promise<string> => {
    const own = (await fields(`x:${id}`))["state"];
    if (own !== undefined) return own;
    return (await redis.zscore(`${cell}scheduled`, id)) === null ? "queued" : "scheduled";
  };

  await at(0);
  await putZoneRow(scripts, "Z0", row());
  return {
    redis,
    cell,
    scripts,
    at,
    beat: beatAll,
    put,
    drain,
    fields,
    /** Rows are hashes, as they were before; resolves with how many there were. */
    asBefore: () => unpackRows(redis, cell),
    /** Puts numbers into a row by hand. */
    change: (name: string, change: Readonly<Record<string, number>>) => changeRow(redis, cell + name, change),
    /** The cell finds itself on a server of which nobody knows whether it has all. */
    elsewhere: () => redis.hset(`${cell}home`, "at", "elsewhere"),
    state,
    begin: beginAll,
    settle: settleAll,
    release: releaseCall,
    released,
    now: () => now,
    /** The mutations whose text was found in a script that ran. */
    matched: () => matched,
    account: (id: string, more: { weight?: number; zone?: string; on_uncertain?: string } = {}) =>
      redis.hset(`${cell}acc:${id}`, { zone: "Z0", weight: 1, ...more }),
    limit: (scope: string, limits: { readonly [kind in WindowKind]?: number | null }) =>
      setLimits(scripts, scopeOf(scope), limits),
    zoneRow: (zone: string, text: string) => putZoneRow(scripts, zone, text),
    loseZoneRow: (zone: string) => redis.del(`${cell}zone:${zone}`),
    suppress: (account: string, address: string, channel: Channel = "email") =>
      redis.hset(`${cell}sup:${account}`, `${channel}|${address}`, "{}"),
    unrelease: (pairs: readonly Release[], token = "") =>
      unrelease(
        scripts,
        pairs.map((pair) => ({ ...pair, token })),
      ),
    cancel: async (...ids: string[]) => {
      const account = owner.get(ids[0] ?? "") ?? "";
      return (await cancel(scripts, account, ids)).map(({ result }) => result);
    },
    expire: (most?: number) => expire(scripts, most),
    reap: (tries = 3) =>
      reap(scripts, { email: tries, sms: tries, voice: tries, whatsapp: tries }, milliseconds(1_000)),
    /** Asks the provider about every text for which it is time, and gets the one answer for all; what became of each. */
    ask: async (verdict: "sent" | "delivered" | "undelivered" | "absent" | "unknown", tries = 3, sid?: string) => {
      const { doubtful } = await askingDue(scripts, 100, milliseconds(1_000));
      const answerOn = ({ id }: Doubtful): Answer =>
        verdict === "absent" || verdict === "unknown"
          ? { kind: verdict }
          : { kind: "found", candidates: [{ verdict, providerId: sid ?? `of ${id}` }] };
      const verdictOn = (one: Doubtful) => asked(scripts, one, answerOn(one), tries, milliseconds(1_000));
      return Promise.all(doubtful.map(verdictOn));
    },
    heard: (id: string, verdict: "sent" | "delivered" | "undelivered", providerId = "SM1") =>
      heard(scripts, id, verdict, providerId, ""),
    stuck: (channel: Channel = "email") => stuck(scripts, channel, milliseconds(3_000)),
    rerelease: (pairs: readonly Release[]) => rerelease(scripts, pairs),
    tick: () => tick(scripts, RETENTION),
    purge: (most?: number) => purge(scripts, RETENTION, most),
    channel: (channel: Channel, change: ChannelChange) => setChannel(scripts, channel, change),
    pause: (account: string, channel: Channel, paused: boolean) => setPause(scripts, account, channel, paused),
    senderRate: (account: string, interval: number | null, sender = "s0@x.org", channel: Channel = "email") =>
      setSenderRate(scripts, account, channel, sender, interval === null ? null : milliseconds(interval)),
    held: async (scope: string) => Number((await fields(`q:${scope}`))["held"] ?? 0),
    used: async (scope: string, kind: WindowKind = "hour") => Number((await fields(`q:${scope}`))[`${kind}.used`] ?? 0),
    expireIn: (key: string, ms: number) => redis.pexpire(`${cell}${key}`, ms),
    /** By the server's own clock; null where it stays. */
    daysLeft: async (key: string): Promise<number | null> => {
      const left = await redis.pttl(`${cell}${key}`);
      return left < 0 ? null : Math.ceil(left / DAY);
    },
    clock: async (): Promise<Instant> => instant(Number(await redis.get(`${cell}clock`))),
  };
};

export type Stage = Awaited<ReturnType<typeof gateStage>>;
