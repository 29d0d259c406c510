/** Whether this Redis may be trusted with messages: reachable, a master, persistent, and never evicting. */
import type { Redis } from "ioredis";
import { tzRelease } from "../domain/time-zone.ts";
import { durabilityOf, type Durability, type Level, type Promise202 } from "./durability.ts";
import { failoverOf, type FailoverFacts } from "./failover-facts.ts";
import { readFacts } from "./facts.ts";
import type { Info } from "./info.ts";
import type { Keys } from "./keys.ts";
import { isNearlyFull, memoryOf, type Memory } from "./memory.ts";
import type { ScriptRunner } from "./script.ts";
import { liveWorkers } from "./scripts/live-workers.ts";
import { snapshot } from "./scripts/snapshot.ts";

export interface RedisHealth {
  readonly ok: boolean;
  readonly reasons: readonly string[];
  readonly redis: { readonly reachable: true; readonly version: string | null };
  readonly persistence: {
    readonly append_only: boolean;
    readonly fsync: string | null;
    readonly eviction: string | null;
  };
  readonly durability: {
    readonly promised: Level;
    readonly given: Durability["given"];
    readonly how: string;
  };
  /** No limit: nobody can say how full it is, and producers are never turned away for it. */
  readonly memory: Memory & { readonly shedding: boolean };
  /** What has become of failovers. */
  readonly failover: FailoverFacts;
  readonly workers: number;
  readonly tz_release: string;
}

const HELD =
  "failover: expected the Redis on which sending went on, got another one, or older data; nothing is sent until the workers have said what they know";

const reasonsOf = (info: Info, durability: Durability, failover: FailoverFacts, workers: number): string[] => {
  const reasons: string[] = [...durability.reasons];
  if (failover.held) reasons.push(HELD);
  const expect = (what: string, expected: string, got: string | undefined): void => {
    if (got !== expected) reasons.push(`${what}: expected ${expected}, got ${got ?? "nothing"}`);
  };
  expect("the role of this Redis", "master", info.get("role"));
  if (info.get("aof_enabled") === "1")
    expect("aof_last_write_status (the disk under the append-only file)", "ok", info.get("aof_last_write_status"));
  expect("maxmemory-policy (anything else throws messages away)", "noeviction", info.get("maxmemory_policy"));
  if (workers === 0) reasons.push("workers: expected at least one that beats, got none");
  return reasons;
};

/** @throws what Redis does not answer */
export const redisHealth =
  (redis: Redis, scripts: ScriptRunner, keys: Keys, promised: Promise202) => async (): Promise<RedisHealth> => {
    const facts = await readFacts(redis);
    const { info, fsync } = facts;
    const durability = durabilityOf(promised, facts);
    const memory = memoryOf(info);
    const workers = (await liveWorkers(scripts)).length;
    const [home = {}] = (await snapshot(scripts, [keys.home])).hashes;
    const failover = failoverOf(home, info.get("master_replid") ?? null);
    const reasons = reasonsOf(info, durability, failover, workers);
    return {
      ok: reasons.length === 0,
      reasons,
      redis: { reachable: true, version: info.get("redis_version") ?? null },
      persistence: {
        append_only: info.get("aof_enabled") === "1",
        fsync: info.get("aof_enabled") === "1" ? fsync : null,
        eviction: info.get("maxmemory_policy") ?? null,
      },
      durability: { promised: promised.level, given: durability.given, how: durability.how },
      memory: { ...memory, shedding: isNearlyFull(memory) },
      failover,
      workers,
      tz_release: tzRelease(),
    };
  };
