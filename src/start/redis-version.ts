/** What a redis-server or valkey-server says of itself, and whether it will do. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

export interface RedisBinary {
  readonly file: string;
  /** `7.0.15` */
  readonly version: string;
  /** LD_LIBRARY_PATH for a binary that brings libraries of its own. */
  readonly libraryPath?: string;
}

/** 6.2 is what BullMQ asks for, and the first with `LPOP key count` and exact `XTRIM`. */
export const OLDEST_VERSION = "6.2";

/** Undefined when it is not there or does not run. */
export const versionOf = async (file: string, libraryPath?: string): Promise<string | undefined> => {
  try {
    const env = libraryPath === undefined ? {} : { env: { LD_LIBRARY_PATH: libraryPath } };
    const { stdout } = await promisify(execFile)(file, ["--version"], { ...env, timeout: 5_000 });
    return /(?:Redis|Valkey) server v=(\S+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
};

export const isYoungEnough = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_VERSION.split(".").map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
};
