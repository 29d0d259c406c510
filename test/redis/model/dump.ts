/** Everything that a cell holds, to be compared: two dumps are equal iff nobody could tell the difference. */
import type { Stage } from "../../support/gate-stage.ts";
import { isRow, readRow } from "../../support/rows.ts";

/** `clock` moves with every script that writes, and a failover began when it did; they are no part of what a script did. */
const IGNORED = new Set(["clock", "test_clock"]);
const IGNORED_FIELDS = new Set(["since"]);

const content = async (stage: Stage, key: string): Promise<unknown> => {
  const { redis } = stage;
  const type = await redis.type(key);
  if (type === "string") return isRow(key.slice(stage.cell.length)) ? readRow(redis, key) : redis.get(key);
  if (type === "hash") {
    const fields = Object.entries(await redis.hgetall(key)).filter(([name]) => !IGNORED_FIELDS.has(name));
    return fields.sort(([a], [b]) => (a < b ? -1 : 1));
  }
  if (type === "list") return redis.lrange(key, 0, -1);
  if (type === "set") return (await redis.smembers(key)).sort();
  if (type === "zset") return redis.zrange(key, "0", "-1", "WITHSCORES");
  // An entry's id is Redis's own clock.
  if (type === "stream") return (await redis.xrange(key, "-", "+")).map(([, fields]) => fields);
  throw new TypeError(`no key of a cell is a ${type}`);
};

export const dump = async (stage: Stage): Promise<Record<string, unknown>> => {
  const keys = (await stage.redis.keys(`${stage.cell}*`)).sort();
  const all: Record<string, unknown> = {};
  for (const key of keys) {
    const name = key.slice(stage.cell.length);
    if (!IGNORED.has(name)) all[name] = await content(stage, key);
  }
  return all;
};
