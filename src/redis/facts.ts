/** What a server says of itself, in one go. */
import type { Redis } from "ioredis";
import type { ServerFacts } from "./durability.ts";
import { parseInfo } from "./info.ts";

/** A managed Redis may not answer CONFIG: then the fsync policy is its operator's business. */
export const readFacts = async (redis: Redis): Promise<ServerFacts> => {
  const [info, config] = await Promise.all([
    redis.info(),
    // `appendfsync` and `no-appendfsync-on-rewrite`: several names in one question are Redis 7's.
    redis.config("GET", "*appendfsync*").catch(() => []) as Promise<unknown>,
  ]);
  const pairs: readonly unknown[] = Array.isArray(config) ? config : [];
  const said = (name: string): unknown => (pairs.includes(name) ? pairs[pairs.indexOf(name) + 1] : undefined);
  const fsync = said("appendfsync");
  return {
    info: parseInfo(info),
    fsync: typeof fsync === "string" ? fsync : null,
    restsInRewrites: said("no-appendfsync-on-rewrite") === "yes",
  };
};
