/** `GET /v1/queues`: how much waits on each channel, and when it will have gone. */
import type { Redis } from "ioredis";
import { CHANNELS, type Channel } from "../domain/channel.ts";
import { instant, type Instant } from "../domain/time.ts";
import type { Queues } from "../queue/queues.ts";
import type { Keys } from "../redis/keys.ts";
import { countIn, type Fields } from "../redis/reply.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { look } from "../redis/scripts/look.ts";
import { snapshot } from "../redis/scripts/snapshot.ts";
import { standing, STANDING_AT_MOST } from "../redis/scripts/standing.ts";
import { chunked } from "./batches.ts";
import type { QueueReport } from "./looking.ts";
import { drainsAt } from "./waiting.ts";

type ByChannel = { readonly [channel in Channel]: QueueReport };

/** Lanes whose oldest message is looked for; an account with more senders than this gets the oldest of so many. */
const LANES_READ = 500;

/** Of lanes whose head was canceled or has expired (it stays in its list), so many more are looked at in all. */
const BEHIND_HEADS = 1_000;

/** Senders' own rules are left out of the sum: no address is empty, so no row is found. */
const NOBODY = "";

/** What the scripts keep as throttled is held up by whatever it may be: `paced` of it by something else than a quota. */
const outOfQuota = (row: Fields): number => countIn(row, "throttled") - countIn(row, "paced");

/**
 * `queued` is what waits in lanes and in BullMQ and is not held up by a quota. While it is paused, or its provider has closed it,
 * that is what holds it up.
 */
const depths = (row: Fields, paused: boolean, closed: boolean) => {
  const throttled = paused || closed ? 0 : outOfQuota(row);
  return {
    queued: countIn(row, "queued") - throttled + countIn(row, "released"),
    throttled,
    scheduled: countIn(row, "scheduled"),
    sending: countIn(row, "sending"),
    paused,
  };
};

const perSecond = (rate: Fields): number | null =>
  rate["interval"] === undefined ? null : 1_000 / Number(rate["interval"]);

const byChannel = async (report: (channel: Channel) => Promise<QueueReport>): Promise<ByChannel> =>
  Object.fromEntries(await Promise.all(CHANNELS.map(async (channel) => [channel, await report(channel)]))) as ByChannel;

export const queueReports = (redis: Redis, scripts: ScriptRunner, keys: Keys, queues: Queues) => {
  const waitsOf = async (account: string, ids: readonly string[]): Promise<readonly boolean[]> => {
    const statuses = await Promise.all(chunked(ids, STANDING_AT_MOST).map((some) => standing(scripts, account, some)));
    return statuses.flat().map((status) => status === "queued" || status === "throttled");
  };

  /** Of each lane the first that waits; where all that are looked at are gone, the last of them: what waits came no sooner. */
  const firstOf = async (account: string, lanes: readonly string[]): Promise<readonly string[]> => {
    const heads = await Promise.all(lanes.map((lane) => redis.lindex(lane, 0)));
    const ids = heads.filter((id) => id !== null);
    const waits = await waitsOf(account, ids);
    const gone = new Set(ids.filter((_, at) => !waits[at]));
    const behind = Math.ceil(BEHIND_HEADS / Math.max(1, gone.size));
    const tails = await Promise.all(
      lanes.map((lane, at) => (gone.has(heads[at] ?? "") ? redis.lrange(lane, 1, behind) : Promise.resolve([]))),
    );
    const next = tails.flat();
    const nextWaits = await waitsOf(account, next);
    const waiting = new Set(next.filter((_, at) => nextWaits[at]));
    const first = heads.map((head, at) =>
      gone.has(head ?? "") ? (tails[at]?.find((id) => waiting.has(id)) ?? tails[at]?.at(-1) ?? null) : head,
    );
    return first.filter((id) => id !== null);
  };

  const oldest = async (account: string, channel: Channel): Promise<Instant | null> => {
    const lanes = await redis.srandmember(keys.lanes(account, channel), LANES_READ);
    const ids = await firstOf(
      account,
      lanes.map((lane) => keys.lane(account, channel, lane)),
    );
    // The index is by creation.
    const created = await Promise.all(ids.map((id) => redis.zscore(keys.index(account), id)));
    const known = created.filter((at) => at !== null);
    return known.length === 0 ? null : instant(Math.min(...known.map(Number)));
  };

  const drains = async (account: string, channel: Channel): Promise<Instant | null> => {
    const seen = await look(scripts, account, { channel, class: "normal", sender: NOBODY });
    return seen && drainsAt(seen, channel);
  };

  const ofAccount = (account: string): Promise<ByChannel> =>
    byChannel(async (channel) => {
      const { now, hashes } = await snapshot(scripts, [
        keys.accountOnChannel(account, channel),
        keys.channelRate(channel),
      ]);
      const [own = {}, rate = {}] = hashes;
      const paused = countIn(own, "paused") === 1 || countIn(rate, "paused") === 1;
      const waiting = countIn(own, "queued") + countIn(own, "released");
      return {
        ...depths(own, paused, countIn(rate, "closed") > now),
        oldestAt: waiting === 0 ? null : await oldest(account, channel),
        ratePerSecond: perSecond(rate),
        drainsAt: waiting === 0 ? null : await drains(account, channel),
      };
    });

  const ofAll = (): Promise<ByChannel> =>
    byChannel(async (channel) => {
      const { now, hashes } = await snapshot(scripts, [keys.channelStats(channel), keys.channelRate(channel)]);
      const [sums = {}, rate = {}] = hashes;
      return {
        ...depths(sums, countIn(rate, "paused") === 1, countIn(rate, "closed") > now),
        oldestAt: null,
        ratePerSecond: perSecond(rate),
        drainsAt: null,
        jobs: await queues.counts(channel),
      };
    });

  return (account: string | null): Promise<ByChannel> => (account === null ? ofAll() : ofAccount(account));
};
