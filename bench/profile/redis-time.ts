/**
 * Where Redis spends its time. Scripts come from the slow log, the one place where a server tells them apart; commands,
 * those inside scripts among them, from its own statistics, which cost nothing.
 */
import { readdirSync } from "node:fs";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Redis } from "ioredis";
import { loadScript } from "../../src/redis/script.ts";

const require = createRequire(import.meta.url);
const OURS = new URL("../../src/redis/scripts/", import.meta.url);

const sha1 = (text: string): string => createHash("sha1").update(text).digest("hex");

/** BullMQ's scripts by the hash that ioredis sends. Its package exports no list of them; the files are named by them. */
const bullMqScripts = (): [string, string][] => {
  const folder = join(dirname(require.resolve("bullmq")), "scripts");
  return readdirSync(folder)
    .filter((file) => /-\d+\.js$/.test(file))
    .flatMap((file) =>
      Object.values(require(join(folder, file)) as Record<string, { name?: string; content?: string }>).flatMap(
        ({ name, content }) => (name && content ? [[sha1(content), `bullmq ${name}`] as [string, string]] : []),
      ),
    );
};

const namesByHash = (): ReadonlyMap<string, string> =>
  new Map([
    ...readdirSync(OURS)
      .filter((file) => file.endsWith(".lua"))
      .map((file) => {
        const { name, server } = loadScript(new URL(file.replace(/\.lua$/, ".ts"), OURS).href);
        return [server.sha, `sluice ${name}`] as const;
      }),
    ...bullMqScripts(),
  ]);

export interface Spent {
  readonly what: string;
  readonly calls: number;
  readonly microseconds: number;
}

type SlowEntry = [id: number, at: number, microseconds: number, args: string[], ...rest: unknown[]];

/**
 * @param from microseconds. The slow log tells of what runs inside scripts as well, and writing that down would be more
 * work than the script: 8 is above nearly all commands and below nearly all scripts.
 */
export const watchScripts = async (look: Redis, from: number): Promise<void> => {
  await look.config("SET", "slowlog-max-len", 1_000_000, "slowlog-log-slower-than", from);
  await look.slowlog("RESET");
  await look.config("RESETSTAT");
};

/** Scripts that ran since `watchScripts` for at least as long as it was told; watching ends. */
export const scriptsSeen = async (look: Redis): Promise<{ what: string; microseconds: number }[]> => {
  await look.config("SET", "slowlog-log-slower-than", -1);
  const entries = (await look.slowlog("GET", -1)) as SlowEntry[];
  await look.slowlog("RESET");
  const names = namesByHash();
  return entries.flatMap(([, , microseconds, [command = "", first = ""]]) => {
    const name = command.toLowerCase();
    if (name !== "evalsha" && name !== "eval") return [];
    const hash = name === "eval" ? sha1(first) : first;
    return [{ what: names.get(hash) ?? `a script ${hash.slice(0, 8)}`, microseconds }];
  });
};

export const summed = (calls: readonly { what: string; microseconds: number }[]): Spent[] => {
  const sums = new Map<string, { calls: number; microseconds: number }>();
  for (const { what, microseconds } of calls) {
    const sum = sums.get(what) ?? { calls: 0, microseconds: 0 };
    sum.calls += 1;
    sum.microseconds += microseconds;
    sums.set(what, sum);
  }
  return [...sums].map(([what, sum]) => ({ what, ...sum })).sort((a, b) => b.microseconds - a.microseconds);
};

/** Every command since `watchScripts`; `evalsha` holds what its script did. */
export const commandsSeen = async (look: Redis): Promise<Spent[]> => {
  const text = await look.info("commandstats");
  return [...text.matchAll(/^cmdstat_([^:]+):calls=(\d+),usec=(\d+)/gm)]
    .map(([, what = "", calls, microseconds]) => ({ what, calls: Number(calls), microseconds: Number(microseconds) }))
    .sort((a, b) => b.microseconds - a.microseconds);
};
