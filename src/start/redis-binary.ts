/** A redis-server or valkey-server that runs here: on PATH, else the one fetched before, else fetched now. */
import { delimiter, join } from "node:path";
import type { Logger } from "pino";
import { cachedRedis, fetchRedis } from "./redis-fetch.ts";
import { isYoungEnough, OLDEST_VERSION, versionOf, type RedisBinary } from "./redis-version.ts";
import { startRefused } from "./refusal.ts";

export interface RedisPlaces {
  /** As the environment has it: directories with the platform's delimiter. */
  readonly path: string;
  /** The user's own: a redis-server that was fetched stays there for the next clone. */
  readonly cacheDir: string;
  readonly log: Logger;
}

const onPath = async (path: string): Promise<RedisBinary | undefined> => {
  for (const directory of path.split(delimiter).filter((part) => part !== "")) {
    for (const name of ["redis-server", "valkey-server"]) {
      const file = join(directory, name);
      const version = await versionOf(file);
      if (version !== undefined && isYoungEnough(version)) return { file, version };
    }
  }
  return undefined;
};

const HOW_TO: { readonly [platform: string]: string } = {
  darwin: "`brew install redis`",
  win32: "run Sluice inside WSL, or `docker run -d -p 127.0.0.1:6379:6379 redis`",
  linux: "`sudo dnf install valkey` on Fedora, `sudo apk add valkey` on Alpine, `sudo pacman -S valkey` on Arch",
};

const sentence = (platform: string, why: string): string =>
  `expected a redis-server or valkey-server of version ${OLDEST_VERSION} or later: found none on PATH, and ${why}. ` +
  `Get one (${HOW_TO[platform] ?? "from your system's packages"}), or set REDIS_URL to a Redis that runs.`;

/** Refuses the start (`StartRefused`) with a sentence that says how to get one here. */
export const findRedis = async ({ path, cacheDir, log }: RedisPlaces): Promise<RedisBinary> => {
  const found = (await onPath(path)) ?? (await cachedRedis(cacheDir));
  if (found !== undefined) return found;
  const fetched = await fetchRedis(cacheDir, log);
  if ("why" in fetched) throw startRefused(sentence(process.platform, fetched.why));
  return fetched;
};
