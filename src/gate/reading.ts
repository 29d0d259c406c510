/** What can be seen, on the scripts: see looking.ts. */
import type { Redis } from "ioredis";
import { CHANNELS, type Channel } from "../domain/channel.ts";
import type { Queues } from "../queue/queues.ts";
import type { Keys } from "../redis/keys.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { look } from "../redis/scripts/look.ts";
import { snapshot } from "../redis/scripts/snapshot.ts";
import { listing } from "./listing.ts";
import type { LevelUse, Looking, QuotaReport } from "./looking.ts";
import { queueReports } from "./queue-report.ts";
import { usageReport } from "./usage-report.ts";
import { viewOf } from "./view.ts";
import { levelUse } from "./waiting.ts";

export interface ReadingParts {
  readonly redis: Redis;
  readonly scripts: ScriptRunner;
  readonly keys: Keys;
  readonly queues: Queues;
}

/** `<channel>:<sender>`, as the account keeps those that have a rule. */
const splitSender = (member: string): { channel: Channel; sender: string } => {
  const at = member.indexOf(":");
  return { channel: member.slice(0, at) as Channel, sender: member.slice(at + 1) };
};

export const readingOn = ({ redis, scripts, keys, queues }: ReadingParts): Looking => {
  const quotas = async (account: string): Promise<QuotaReport | null> => {
    const zone = await redis.hget(keys.account(account), "zone");
    if (zone === null) return null;
    const senders = (await redis.smembers(keys.senders(account))).map(splitSender);
    const rows = [
      keys.accountCounters(account),
      ...CHANNELS.map((channel) => keys.channelCounters(account, channel)),
      ...senders.map(({ channel, sender }) => keys.senderCounters(account, channel, sender)),
    ];
    const { now, hashes } = await snapshot(scripts, rows);
    const use = (at: number): LevelUse => levelUse(hashes[at] ?? {}, zone, now);
    return {
      timezone: zone,
      all: use(0),
      channels: Object.fromEntries(CHANNELS.map((channel, at) => [channel, use(1 + at)])) as QuotaReport["channels"],
      senders: senders.map((sender, at) => ({ ...sender, use: use(1 + CHANNELS.length + at) })),
    };
  };
  return {
    message: async (account, id) => {
      const seen = await look(scripts, account, { id });
      return seen && viewOf(id, seen);
    },
    messages: listing(redis, scripts, keys),
    quotas,
    queues: queueReports(redis, scripts, keys, queues),
    usage: usageReport(redis, keys),
    now: async () => (await snapshot(scripts, [])).now,
  };
};
