/** The rules that single senders have of their own, as they were stated. */
import type { Redis } from "ioredis";
import { isChannel } from "../domain/channel.ts";
import type { Quota } from "../domain/quota.ts";
import type { Millis } from "../domain/time.ts";
import type { Keys } from "../redis/keys.ts";
import type { SenderRule } from "./account.ts";

const isUnlimited = ({ quota, rate }: SenderRule): boolean =>
  rate === null && Object.values(quota).every((limit) => limit === null);

export const readSenderRules = async (redis: Redis, keys: Keys, id: string): Promise<readonly SenderRule[]> => {
  const stated = await redis.hgetall(keys.senderRules(id));
  return Object.entries(stated)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, json]) => {
      const colon = name.indexOf(":");
      const channel = name.slice(0, colon);
      const { quota, rate } = JSON.parse(json) as { quota: Quota; rate: Millis | null };
      return isChannel(channel) ? [{ channel, sender: name.slice(colon + 1), quota, rate }] : [];
    });
};

/** What has no limit at all is no rule: nothing is kept of it. */
export const writeSenderRule = async (redis: Redis, keys: Keys, id: string, rule: SenderRule): Promise<void> => {
  const name = `${rule.channel}:${rule.sender}`;
  const { quota, rate } = rule;
  const both = redis.multi();
  if (isUnlimited(rule)) both.srem(keys.senders(id), name).hdel(keys.senderRules(id), name);
  else both.sadd(keys.senders(id), name).hset(keys.senderRules(id), name, JSON.stringify({ quota, rate }));
  await both.exec();
};
