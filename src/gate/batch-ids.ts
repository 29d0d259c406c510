/**
 * The ids of a batch, oldest first. They are those of its seed, from 0 on (domain/id.ts), so no list of them is kept: 37
 * bytes a message. A batch of the version before has one.
 */
import type { Redis } from "ioredis";
import { idOf, isId, numberOf, seedOf } from "../domain/id.ts";
import type { Keys } from "../redis/keys.ts";
import type { Fields } from "../redis/reply.ts";

export interface BatchIds {
  readonly length: number;
  range(from: number, to: number): Promise<readonly string[]>;
  /** Null when it is not one of them. */
  placeOf(id: string): Promise<number | null>;
}

/** @param batch its row */
export const batchIds = async (redis: Redis, keys: Keys, id: string, batch: Fields): Promise<BatchIds> => {
  if (batch["head"] === undefined) {
    const key = keys.batchIds(id);
    return {
      length: await redis.llen(key),
      range: (from, to) => (to < from ? Promise.resolve([]) : redis.lrange(key, from, to)),
      placeOf: (one) => redis.lpos(key, one),
    };
  }
  const seed = seedOf(id);
  const length = Number(batch["total"]);
  return {
    length,
    range: async (from, to) =>
      Array.from({ length: Math.max(0, Math.min(to, length - 1) - from + 1) }, (_, n) => idOf("msg", seed, from + n)),
    placeOf: async (one) => (isId("msg", one) && seedOf(one) === seed && numberOf(one) < length ? numberOf(one) : null),
  };
};
