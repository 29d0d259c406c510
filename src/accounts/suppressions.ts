/**
 * Suppressions on Redis: a hash that the gate asks for one address, and beside it the same fields in a sorted set, since
 * a hash cannot be listed in a stable order by pages.
 */
import type { Redis } from "ioredis";
import { CHANNELS, isChannel, type Channel } from "../domain/channel.ts";
import type { Clock, Instant } from "../domain/time.ts";
import type { Keys } from "../redis/keys.ts";
import type { Suppression, Suppressions } from "./suppression.ts";

/** What is kept of one, by the gate's settle script too. */
interface Kept {
  readonly reason: string;
  readonly created_at: number;
}

/** The gate asks in lower case, so that no spelling of an address slips by. */
const fieldOf = (channel: Channel, address: string): string => `${channel}|${address.toLowerCase()}`;

const fromField = (field: string, json: string): readonly Suppression[] => {
  const bar = field.indexOf("|");
  const channel = field.slice(0, bar);
  const { reason, created_at: createdAt } = JSON.parse(json) as Kept;
  return isChannel(channel)
    ? [{ channel, address: field.slice(bar + 1), reason, createdAt: createdAt as Instant }]
    : [];
};

export const suppressionsOn = (parts: { redis: Redis; keys: Keys; clock: Clock }): Suppressions => {
  const { redis, keys, clock } = parts;

  const found = async (account: string, fields: readonly string[]): Promise<readonly Suppression[]> => {
    if (fields.length === 0) return [];
    const values = await redis.hmget(keys.suppressions(account), ...fields);
    return fields.flatMap((field, index) => {
      const json = values[index];
      return json ? fromField(field, json) : [];
    });
  };

  return {
    add: async (account, channel, address, reason) => {
      const field = fieldOf(channel, address);
      const createdAt = clock.now();
      const kept: Kept = { reason, created_at: createdAt };
      // The first reason stands: a bounce must not overwrite "asked us to stop", nor a repeated command the time.
      await redis
        .multi()
        .hsetnx(keys.suppressions(account), field, JSON.stringify(kept))
        .zadd(keys.suppressionOrder(account), 0, field)
        .exec();
      const [suppression] = await found(account, [field]);
      return suppression ?? { channel, address: address.toLowerCase(), reason, createdAt };
    },
    list: async (account, { channel, address }, cursor, limit) => {
      const channels = channel ? [channel] : CHANNELS;
      if (address !== undefined) {
        const items = await found(
          account,
          channels.map((one) => fieldOf(one, address)),
        );
        return { items, nextCursor: null };
      }
      // "}" follows "|" in ASCII: from one to the other lies everything of a channel.
      const [first, end] = channel ? [`[${channel}|`, `(${channel}}`] : ["-", "+"];
      const from = cursor === null ? first : `(${cursor}`;
      const fields = await redis.zrangebylex(keys.suppressionOrder(account), from, end, "LIMIT", 0, limit + 1);
      const page = fields.slice(0, limit);
      return { items: await found(account, page), nextCursor: fields.length > limit ? (page.at(-1) ?? null) : null };
    },
    remove: async (account, channel, address) => {
      const field = fieldOf(channel, address);
      const replies = await redis
        .multi()
        .hdel(keys.suppressions(account), field)
        .zrem(keys.suppressionOrder(account), field)
        .exec();
      return replies?.[0]?.[1] === 1;
    },
  };
};
