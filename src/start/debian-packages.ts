/** Packages of a Debian or Ubuntu, downloaded and unpacked by an ordinary user into a directory of their own. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { minutes } from "../domain/time.ts";

const run = promisify(execFile);

const CALL_LIMIT = minutes(2);

/** apt with lists and a cache in `work`. */
export const aptIn = (work: string) => {
  mkdirSync(join(work, "lists/partial"), { recursive: true });
  const settings = {
    "Dir::State": work,
    "Dir::State::lists": join(work, "lists"),
    "Dir::State::status": "/var/lib/dpkg/status",
    "Dir::Cache": work,
    // The locks of the system's package manager are root's, and nothing of what they guard is written here.
    "Debug::NoLocking": "1",
    // As root apt would download as another user, who cannot enter our directories.
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
    "Acquire::Retries": "1",
    "Acquire::http::Timeout": "20",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const call =
    (program: string) =>
    async (...command: string[]) =>
      (await run(program, [...options, ...command], { cwd: work, timeout: CALL_LIMIT, maxBuffer: 2 ** 24 })).stdout;
  return { get: call("apt-get"), cache: call("apt-cache") };
};
type Apt = ReturnType<typeof aptIn>;

/** What this system has, whatever state its other packages are in (`apt-get install` refuses when one is broken). */
const installedPackages = async (): Promise<Set<string>> => {
  const { stdout } = await run("dpkg-query", ["-W", "-f", "${db:Status-Status} ${Package}\n"], { maxBuffer: 2 ** 24 });
  return new Set(stdout.split("\n").flatMap((line) => (line.startsWith("installed ") ? [line.slice(10)] : [])));
};

/** Names in `Depends` fields, of alternatives the first: it is the one the distribution builds with. */
export const dependenciesIn = (records: string): string[] =>
  [...records.matchAll(/^(?:Pre-)?Depends: (.*)$/gm)].flatMap(([, list = ""]) =>
    list.split(",").flatMap((one) => /^\s*([\w.+-]+)/.exec(one)?.[1] ?? []),
  );

/**
 * The libraries that the packages need, directly or not, and that this system lacks. What is installed has what it
 * needs. Never the C library: one of another version than the system's loader kills every program told to use it.
 */
const missingLibraries = async (apt: Apt, packages: readonly string[]): Promise<string[]> => {
  const known = (await installedPackages()).add("libc6");
  const missing: string[] = [];
  for (let level = packages; level.length > 0;) {
    const wanted = new Set(dependenciesIn(await apt.cache("show", "--no-all-versions", ...level)));
    level = [...wanted].filter((name) => /^(lib|lua)/.test(name) && !known.has(name));
    for (const name of level) known.add(name);
    missing.push(...level);
  }
  return missing;
};

/** Downloads the packages with every library they need that this system lacks, and unpacks them below `work`. */
export const unpack = async (work: string, apt: Apt, packages: readonly string[]): Promise<string> => {
  await apt.get("-qq", "download", ...packages, ...(await missingLibraries(apt, packages)));
  const root = mkdtempSync(join(work, "root-"));
  for (const name of readdirSync(work).filter((entry) => entry.endsWith(".deb"))) {
    await run("dpkg", ["-x", join(work, name), root]);
    rmSync(join(work, name));
  }
  rmSync(join(root, "usr/share"), { recursive: true, force: true });
  return root;
};
