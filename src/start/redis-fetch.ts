import type { Logger } from "pino";
import type { RedisBinary } from "./redis-binary.ts";

export const cachedRedis = async (_cacheDir: string): Promise<RedisBinary | undefined> => undefined;
export const fetchRedis = async (
  _cacheDir: string,
  _path: string,
  _log: Logger,
): Promise<RedisBinary | { why: string }> => ({
  why: "there is no way to fetch one here",
});
