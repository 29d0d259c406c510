/** A batch as a whole: its row, its messages' ids, and how many of them are in which state. */
import type { Redis } from "ioredis";
import { instant } from "../domain/time.ts";
import type { Keys } from "../redis/keys.ts";
import type { Fields } from "../redis/reply.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { standing, STANDING_AT_MOST } from "../redis/scripts/standing.ts";
import { batchIds } from "./batch-ids.ts";
import type { BatchCounts } from "./sending.ts";

export interface BatchesParts {
  readonly redis: Redis;
  readonly scripts: ScriptRunner;
  readonly keys: Keys;
}

export interface Batches {
  /** Of all its messages, oldest first; null for a batch that the account does not have. */
  idsOf(account: string, id: string): Promise<readonly string[] | null>;
  /** Null for a batch that the account does not have. */
  counts(account: string, id: string): Promise<BatchCounts | null>;
}

/** Lists of at most so many, in order. */
export const chunked = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size));

/** What the scripts count as messages end; enough once all have. */
const endedCounts = (batch: Fields): Record<string, number> =>
  Object.fromEntries(
    Object.entries(batch).flatMap(([field, count]) =>
      field.startsWith("n:") && Number(count) > 0 ? [[field.slice("n:".length), Number(count)]] : [],
    ),
  );

export const batchesOn = ({ redis, scripts, keys }: BatchesParts): Batches => {
  const rowOf = async (account: string, id: string): Promise<Fields | null> => {
    const batch: Fields = await redis.hgetall(keys.batch(id));
    return batch["account"] === account ? batch : null;
  };

  const idsIn = async (id: string, batch: Fields): Promise<readonly string[]> => {
    const ids = await batchIds(redis, keys, id, batch);
    return ids.range(0, ids.length - 1);
  };

  /** @param ended as the scripts have counted: of those whose time in Redis is over nothing else is left */
  const stateCounts = async (account: string, ids: readonly string[], ended: Readonly<Record<string, number>>) => {
    const counts: Record<string, number> = {};
    let gone = 0;
    for (const chunk of chunked(ids, STANDING_AT_MOST))
      for (const status of await standing(scripts, account, chunk))
        if (status === null) gone++;
        else counts[status] = (counts[status] ?? 0) + 1;
    for (const [status, count] of Object.entries(ended)) {
      const seen = counts[status] ?? 0;
      const missing = Math.min(gone, Math.max(0, count - seen));
      gone -= missing;
      if (missing > 0) counts[status] = seen + missing;
    }
    return counts;
  };

  return {
    idsOf: async (account, id) => {
      const batch = await rowOf(account, id);
      return batch && idsIn(id, batch);
    },
    counts: async (account, id) => {
      const batch = await rowOf(account, id);
      if (!batch) return null;
      const total = Number(batch["total"]);
      const ended = endedCounts(batch);
      const isOver = Object.values(ended).reduce((sum, count) => sum + count, 0) >= total;
      const counts = isOver ? ended : await stateCounts(account, await idsIn(id, batch), ended);
      return { id, total, createdAt: instant(Number(batch["created"])), counts };
    },
  };
};
