/** How full Redis is, as it counts itself when it decides to refuse what would take more memory. */
import type { Redis } from "ioredis";
import { parseInfo, type Info } from "./info.ts";

export interface Memory {
  /** Bytes. */
  readonly used: number;
  /** `maxmemory`; null when none is set: then nobody can say how full it is. */
  readonly limit: number | null;
}

const count = (info: Info, name: string): number => Number(info.get(name) ?? 0);

/** What is left above it is for attempts, returns, and what was accepted since Redis was last asked. */
const NEARLY_FULL = 0.75;

export const isNearlyFull = ({ used, limit }: Memory, more = 0): boolean =>
  limit !== null && used + more > NEARLY_FULL * limit;

/** Buffers for replicas and for the append-only file do not count against `maxmemory`. */
export const memoryOf = (info: Info): Memory => ({
  used: Math.max(0, count(info, "used_memory") - count(info, "mem_not_counted_for_evict")),
  limit: count(info, "maxmemory") || null,
});

export const readMemory = async (redis: Redis): Promise<Memory> => memoryOf(parseInfo(await redis.info("memory")));
