/**
 * What a 202 promises, and what this Redis gives. Level `process`: it outlives the death of any process, because there is
 * an append-only file. Level `power`: it outlives power loss, because the file is on the disk before the answer is given.
 * Decides; durable.ts acts.
 */
import type { Info } from "./info.ts";

export type Level = "process" | "power";

/** Configured: SLUICE_DURABILITY and SLUICE_REPLICAS. */
export interface Promise202 {
  readonly level: Level;
  /** Other machines that must have it too. */
  readonly replicas: number;
}

/** What a server says of itself. */
export interface ServerFacts {
  readonly info: Info;
  /** `appendfsync`; null where CONFIG is not ours to ask. */
  readonly fsync: string | null;
  /** `no-appendfsync-on-rewrite`: while the file is rewritten nothing is written to the disk, for minutes perhaps. */
  readonly restsInRewrites: boolean;
}

/** What follows accept and begin on the same connection before they count as done; null: nothing. */
export interface Waiting {
  /** WAITAOF: on this server's own disk. */
  readonly disk: boolean;
  /** WAIT: in the memory of so many replicas. */
  readonly replicas: number;
}

export interface Durability {
  readonly given: Level | "none";
  readonly how: string;
  readonly waiting: Waiting | null;
  /** Why it is less than was promised; empty when it is not. */
  readonly reasons: readonly string[];
}

/**
 * Whether WAITAOF is to be believed: from Redis 8.0 on. Before (7.2 and 7.4), and in Valkey up to 9.1, it says "on the disk" up
 * to a second too soon (redis/redis#13793; watched with strace on Valkey 8.1 and 9.1, and on Redis 8.0, which is right).
 * Valkey says that it is Redis 7.2.4, and may say otherwise one day.
 */
const tellsOfItsDisk = ({ info, fsync }: ServerFacts): boolean =>
  info.get("server_name") !== "valkey" &&
  Number.parseInt(info.get("redis_version") ?? "", 10) >= 8 &&
  // Under `no` it is never told that something is on the disk.
  fsync !== "no";

const localPart = (promised: Promise202, facts: ServerFacts): Omit<Durability, "reasons" | "waiting"> => {
  const { info, fsync, restsInRewrites } = facts;
  if (info.get("aof_enabled") !== "1") return { given: "none", how: "no append-only file" };
  const policy = `appendfsync ${fsync ?? "unknown"}`;
  if (restsInRewrites) return { given: "process", how: `append-only file, ${policy}, no-appendfsync-on-rewrite yes` };
  if (fsync === "always") return { given: "power", how: policy };
  if (promised.level === "power" && tellsOfItsDisk(facts))
    return { given: "power", how: "WAITAOF after each acceptance and before each attempt" };
  return { given: "process", how: `append-only file, ${policy}` };
};

const RANK = { none: 0, process: 1, power: 2 } as const;

export const durabilityOf = (promised: Promise202, facts: ServerFacts): Durability => {
  const { given, how } = localPart(promised, facts);
  const disk = promised.level === "power" && given === "power" && facts.fsync !== "always";
  const { replicas } = promised;
  const connected = Number(facts.info.get("connected_slaves") ?? 0);
  const reasons: string[] = [];
  if (RANK[given] < RANK[promised.level])
    reasons.push(`durability: expected ${promised.level} (SLUICE_DURABILITY), got ${given} (${how})`);
  if (connected < replicas)
    reasons.push(`replicas: expected ${replicas} connected (SLUICE_REPLICAS), got ${connected}`);
  return {
    given,
    how: replicas > 0 ? `${how}; WAIT for ${replicas} replica${replicas === 1 ? "" : "s"}` : how,
    waiting: disk || replicas > 0 ? { disk, replicas } : null,
    reasons,
  };
};

/** What WAITAOF and WAIT answered, as far as each was asked. They answer when their time is up, too: the count decides. */
export interface Counted {
  readonly disk: number;
  readonly replicas: number;
}

/** Null when it is kept as was promised; else what is missing. */
export const missingOf = (waiting: Waiting, counted: Counted): string | null => {
  if (waiting.disk && counted.disk < 1) return "expected it on the disk, and it is not there yet";
  if (counted.replicas < waiting.replicas)
    return `expected it in ${waiting.replicas} replicas, got ${counted.replicas}`;
  return null;
};
