/** What a server says of itself, in one go. */
import type { Redis } from "ioredis";
import type { ServerFacts } from "./durability.ts";
import { parseInfo } from "./info.ts";

/** A managed Redis may not answer CONFIG: then the fsync policy is its operator's business. */
export const readFacts = async (redis: Redis): Promise<ServerFacts> => {
  const [info, config] = await Promise.all([
    redis.info(),
    redis.config("GET", "appendfsync").catch(() => []) as Promise<unknown>,
  ]);
  const pair: readonly unknown[] = Array.isArray(config) ? config : [];
  return { info: parseInfo(info), fsync: typeof pair[1] === "string" ? pair[1] : null };
};
