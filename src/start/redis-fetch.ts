/**
 * A redis-server from the packages of a Debian or Ubuntu, for an ordinary user and without touching the system: apt
 * works on lists and a cache of our own, what it brings is unpacked in the user's cache directory, and what stands
 * there already is what runs at the next start and in the next clone. It takes two to four seconds, once.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { arch } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Logger } from "pino";
import { minutes } from "../domain/time.ts";
import { aptIn, unpack } from "./debian-packages.ts";
import { lock } from "./lock.mjs";
import { isYoungEnough, versionOf, type RedisBinary } from "./redis-version.ts";

const run = promisify(execFile);

/** On Debian 12 `redis-server` is a link into `redis-tools`; elsewhere each has its own binaries. */
const CANDIDATES = [
  { server: "redis-server", packages: ["redis-server", "redis-tools"] },
  { server: "valkey-server", packages: ["valkey-server", "valkey-tools"] },
] as const;

const FETCH_LIMIT = minutes(3);

/** A home directory may be shared by machines whose libraries differ: one directory per system. */
const directoryOf = (cacheDir: string): string | undefined => {
  try {
    const release = readFileSync("/etc/os-release", "utf8");
    const field = (name: string) => new RegExp(`^${name}="?([\\w.]+)`, "m").exec(release)?.[1] ?? "any";
    return join(cacheDir, `redis-${field("ID")}-${field("VERSION_ID")}-${arch()}`);
  } catch {
    return undefined;
  }
};

/** `usr/lib/x86_64-linux-gnu` and the like. */
const librariesIn = (root: string): string => {
  const found = ["usr/lib", "lib"].flatMap((base) => {
    try {
      return readdirSync(join(root, base))
        .filter((name) => name.includes("-linux-"))
        .map((name) => join(root, base, name));
    } catch {
      return [];
    }
  });
  return found.join(":");
};

const serverIn = async (root: string): Promise<RedisBinary | undefined> => {
  const libraryPath = librariesIn(root);
  for (const { server } of CANDIDATES) {
    const file = join(root, "usr/bin", server);
    const version = await versionOf(file, libraryPath);
    if (version !== undefined) return { file, version, libraryPath };
  }
  return undefined;
};

/** The one fetched before, if it still runs: the system's own libraries may have changed under it. */
export const cachedRedis = async (cacheDir: string): Promise<RedisBinary | undefined> => {
  const directory = directoryOf(cacheDir);
  const found = directory === undefined ? undefined : await serverIn(directory);
  return found !== undefined && isYoungEnough(found.version) ? found : undefined;
};

const firstLine = (error: unknown): string => {
  const text =
    error instanceof Error && "stderr" in error && error.stderr !== "" ? String(error.stderr) : String(error);
  return text.trim().split("\n")[0] ?? "";
};

const fetchInto = async (work: string, directory: string, log: Logger): Promise<RedisBinary | { why: string }> => {
  const apt = aptIn(work);
  let why = "this system's packages have none";
  try {
    // One source of several that does not answer fails the whole of it: the one that matters may have.
    await apt.get("-qq", "update").catch((error: unknown) => log.warn({ event: "apt_update", why: firstLine(error) }));
    for (const { packages } of CANDIDATES) {
      const root = await unpack(work, apt, packages);
      const found = await serverIn(root);
      if (found !== undefined && isYoungEnough(found.version)) {
        // What stood there did not run any more. Renaming is all or nothing: killed before, nothing has changed.
        rmSync(directory, { recursive: true, force: true });
        renameSync(root, directory);
        return (await serverIn(directory)) ?? { why: `the one put into ${directory} does not run` };
      }
      why = found === undefined ? "the one in this system's packages does not run" : `they have only ${found.version}`;
    }
  } catch (error) {
    why = `apt-get could not fetch one (${firstLine(error)})`;
  }
  return { why };
};

const hasApt = async (): Promise<boolean> => {
  try {
    await run("apt-get", ["--version"]);
    await run("dpkg", ["--version"]);
    return true;
  } catch {
    return false;
  }
};

/** Two at once take turns, and the second finds what the first has fetched. */
export const fetchRedis = async (cacheDir: string, log: Logger): Promise<RedisBinary | { why: string }> => {
  const directory = directoryOf(cacheDir);
  if (directory === undefined || !(await hasApt())) return { why: "there are no Debian packages to fetch one from" };
  mkdirSync(cacheDir, { recursive: true, mode: 0o700 });
  const held = await lock(join(cacheDir, "fetch-lock"), FETCH_LIMIT);
  if (held.kind === "held") return { why: `process ${held.by} has been fetching one for three minutes` };
  try {
    const cached = await cachedRedis(cacheDir);
    if (cached !== undefined) return cached;
    log.info({ event: "redis_fetch", directory }, "no redis-server on PATH: fetching one, once");
    // What a fetch left that was killed: nobody else is at it, for we hold the lock.
    for (const name of readdirSync(cacheDir).filter((entry) => entry.startsWith("fetch-work-"))) {
      rmSync(join(cacheDir, name), { recursive: true, force: true });
    }
    const work = mkdtempSync(join(cacheDir, "fetch-work-"));
    try {
      return await fetchInto(work, directory, log);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  } finally {
    held.release();
  }
};
