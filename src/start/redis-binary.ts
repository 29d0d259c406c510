/** A redis-server or valkey-server that runs here: on PATH, else the one fetched before, else fetched now. */
import { execFile } from "node:child_process";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import type { Logger } from "pino";
import { cachedRedis, fetchRedis } from "./redis-fetch.ts";
import { startRefused } from "./refusal.ts";

export interface RedisBinary {
  readonly file: string;
  /** `7.0.15` */
  readonly version: string;
  /** LD_LIBRARY_PATH for a binary whose libraries are not the system's. */
  readonly libraryPath?: string;
}

export interface RedisPlaces {
  /** As the environment has it: directories with the platform's delimiter. */
  readonly path: string;
  /** The user's own: a redis-server that was fetched stays there for the next clone. */
  readonly cacheDir: string;
  readonly log: Logger;
}

/** 6.2 is what BullMQ asks for, and the first with `SET … GET` and exact `LPOP count`. */
const OLDEST = [6, 2] as const;

const run = promisify(execFile);

/** The version of a server that runs and is young enough. */
export const versionOf = async (file: string, libraryPath?: string): Promise<string | undefined> => {
  try {
    const env = libraryPath === undefined ? {} : { env: { LD_LIBRARY_PATH: libraryPath } };
    const { stdout } = await run(file, ["--version"], { ...env, timeout: 5_000 });
    return /(?:Redis|Valkey) server v=(\S+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
};

export const isYoungEnough = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
};

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
  linux: "`sudo dnf install valkey` (Fedora), `sudo apk add valkey` (Alpine), `sudo pacman -S valkey` (Arch)",
};

const sentence = (platform: string, why: string): string =>
  `expected a redis-server or valkey-server of version ${OLDEST.join(".")} or later, found none on PATH and ${why}: ` +
  `install one (${HOW_TO[platform] ?? "from your system's packages"}), or set REDIS_URL to a Redis that runs.`;

export const findRedis = async ({ path, cacheDir, log }: RedisPlaces): Promise<RedisBinary> => {
  const found = (await onPath(path)) ?? (await cachedRedis(cacheDir));
  if (found !== undefined) return found;
  const fetched = await fetchRedis(cacheDir, path, log);
  if ("why" in fetched) throw startRefused(sentence(process.platform, fetched.why));
  return fetched;
};
