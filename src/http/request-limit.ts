/**
 * A simple fixed limit on requests, in the memory of this process: it keeps one caller from taking the API from all the
 * others. It is not a quota, and not yet the API limits with their windows and plans.
 */
import type { Clock } from "../domain/time.ts";

interface Bucket {
  tokens: number;
  at: number;
}

export interface RequestLimit {
  /** 0: go on, one was taken. Else the seconds to wait. */
  take(caller: string): number;
  /** The same without taking one. */
  ask(caller: string): number;
}

/** More callers at once than this, and those seen first are forgotten: memory is bounded, whatever addresses come. */
const MOST_CALLERS = 20_000;

export const createRequestLimit = (
  clock: Clock,
  { perSecond, burst }: { perSecond: number; burst: number },
): RequestLimit => {
  const buckets = new Map<string, Bucket>();
  const filled = (caller: string): Bucket => {
    const now = clock.monotonic();
    const bucket = buckets.get(caller) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond);
    bucket.at = now;
    return bucket;
  };
  const wait = (bucket: Bucket): number => (bucket.tokens >= 1 ? 0 : Math.ceil((1 - bucket.tokens) / perSecond));
  return {
    ask: (caller) => wait(filled(caller)),
    take(caller) {
      const bucket = filled(caller);
      const seconds = wait(bucket);
      if (seconds === 0) bucket.tokens -= 1;
      // Set anew, so that the map's order is the order in which callers were last seen.
      buckets.delete(caller);
      buckets.set(caller, bucket);
      if (buckets.size > MOST_CALLERS) {
        const [oldest] = buckets.keys();
        if (oldest !== undefined) buckets.delete(oldest);
      }
      return seconds;
    },
  };
};

/** One address, or one IPv6 network of 64 bits, which is what one customer of a provider is given. */
export const addressBucket = (ip: string): string => {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return `ip:${mapped}`;
  if (!ip.includes(":")) return `ip:${ip}`;
  const [head = "", tail] = (ip.split("%")[0] ?? "").toLowerCase().split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const gap =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  const network = [...before, ...gap, ...after].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ""));
  return `ip:${network.join(":")}::/64`;
};
