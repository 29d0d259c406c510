/** Whether this Redis may be trusted with messages: reachable, a master, persistent, and never evicting. */
import type { Redis } from "ioredis";
import { tzRelease } from "../domain/window.ts";
import { parseInfo, type Info } from "./info.ts";
import { isNearlyFull, memoryOf, type Memory } from "./memory.ts";
import type { ScriptRunner } from "./script.ts";
import { liveWorkers } from "./scripts/live-workers.ts";

export interface RedisHealth {
  readonly ok: boolean;
  readonly reasons: readonly string[];
  readonly redis: { readonly reachable: boolean; readonly version: string | null };
  readonly persistence: {
    readonly append_only: boolean;
    readonly fsync: string | null;
    readonly eviction: string | null;
  };
  /** No limit: nobody can say how full it is, and producers are never turned away for it. */
  readonly memory: (Memory & { readonly shedding: boolean }) | null;
  readonly workers: number;
  readonly tz_release: string;
}

/** A managed Redis may not answer CONFIG: then the fsync policy is its operator's business. */
const fsyncOf = async (redis: Redis): Promise<string | null> => {
  const answer = (await redis.config("GET", "appendfsync").catch(() => [])) as string[];
  return answer[1] ?? null;
};

const reasonsOf = (info: Info, workers: number): string[] => {
  const reasons: string[] = [];
  const expect = (what: string, expected: string, got: string | undefined): void => {
    if (got !== expected) reasons.push(`${what}: expected ${expected}, got ${got ?? "nothing"}`);
  };
  expect("the role of this Redis", "master", info.get("role"));
  expect("aof_enabled (appendonly yes: what was accepted must survive its process)", "1", info.get("aof_enabled"));
  expect("maxmemory-policy (anything else throws messages away)", "noeviction", info.get("maxmemory_policy"));
  if (workers === 0) reasons.push("workers: expected at least one that beats, got none");
  return reasons;
};

export const redisHealth = (redis: Redis, scripts: ScriptRunner) => async (): Promise<RedisHealth> => {
  const tz_release = tzRelease();
  try {
    const info = parseInfo(await redis.info());
    const memory = memoryOf(info);
    const workers = (await liveWorkers(scripts)).length;
    const reasons = reasonsOf(info, workers);
    return {
      ok: reasons.length === 0,
      reasons,
      redis: { reachable: true, version: info.get("redis_version") ?? null },
      persistence: {
        append_only: info.get("aof_enabled") === "1",
        fsync: info.get("aof_enabled") === "1" ? await fsyncOf(redis) : null,
        eviction: info.get("maxmemory_policy") ?? null,
      },
      memory: { ...memory, shedding: isNearlyFull(memory) },
      workers,
      tz_release,
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      ok: false,
      reasons: [`Redis: expected an answer, got none (${why})`],
      redis: { reachable: false, version: null },
      persistence: { append_only: false, fsync: null, eviction: null },
      memory: null,
      workers: 0,
      tz_release,
    };
  }
};
