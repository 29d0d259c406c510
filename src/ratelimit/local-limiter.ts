/**
 * Limits while Redis is away: each process counts for itself, from nothing, in fixed windows. Rules that fail open have
 * their own limit; those that fail closed a small part of it, for behind a balancer there are several processes.
 */
import { instant, milliseconds, type Clock, type Millis } from "../domain/time.ts";
import type { Admission, WindowState } from "../redis/admissions.ts";
import type { AppliedRule, AppliedWindow } from "./rules-for.ts";

/** Memory is bounded whatever addresses come: about 2 MB. */
const MOST_BUCKETS = 20_000;

/** Of five attempts at a password a minute, one for each process. */
const CLOSED_PART = 5;

const allowed = (rule: AppliedRule, limit: number | null): number => {
  if (limit === null) return Infinity;
  return rule.whenRedisIsAway === "open" ? limit : Math.max(1, Math.floor(limit / CLOSED_PART));
};

interface Count {
  used: number;
  endsAt: number;
}

export interface LocalLimiter {
  take(rules: readonly AppliedRule[]): Admission;
  look(rules: readonly AppliedRule[]): Admission;
}

export const localLimiter = (clock: Clock, mostBuckets = MOST_BUCKETS): LocalLimiter => {
  /** Those that fail closed apart: no crowd of others shuts the door on them. In the order in which they were first seen. */
  const kept = { open: new Map<string, Count[]>(), closed: new Map<string, Count[]>() };

  /** Makes room for one more. False: all places are taken, and where it fails closed nobody is forgotten before their time. */
  const hasRoom = ({ whenRedisIsAway, name }: AppliedRule, now: number): boolean => {
    const buckets = kept[whenRedisIsAway];
    if (buckets.size < mostBuckets || buckets.has(name)) return true;
    const [oldest] = buckets;
    if (whenRedisIsAway === "closed" && oldest?.[1].some(({ endsAt }) => endsAt > now)) return false;
    return oldest === undefined || buckets.delete(oldest[0]);
  };

  const countsOf = ({ whenRedisIsAway, name, windows }: AppliedRule, now: number): Count[] =>
    windows.map((_, index) => {
      const count = kept[whenRedisIsAway].get(name)?.[index];
      return count !== undefined && count.endsAt > now ? count : { used: 0, endsAt: 0 };
    });

  const decide = (rules: readonly AppliedRule[], isLook: boolean): Admission => {
    const now = clock.monotonic();
    const found = rules.map((rule) => {
      const crowded = !isLook && !hasRoom(rule, now);
      const counts = countsOf(rule, now);
      const full = rule.windows.map(({ limit }, at) => crowded || (counts[at]?.used ?? 0) >= allowed(rule, limit));
      return { rule, counts, full };
    });
    const refusing = found.filter(({ rule, full }) => !rule.shadow && full.includes(true));
    const admitted = refusing.length === 0;
    const state = (
      rule: AppliedRule,
      window: AppliedWindow,
      count: Count | undefined,
      isFull: boolean,
    ): WindowState => {
      const { used, endsAt } = count ?? { used: 0, endsAt: 0 };
      // What remains is to be told as it is: of a limit that was made smaller, or of which a part alone holds now.
      const withheld = window.limit === null || used === 0 ? 0 : window.limit - allowed(rule, window.limit);
      const told = isFull ? Math.max(used, window.limit ?? 0) : used + withheld;
      const resetIn = milliseconds(Math.ceil(endsAt > now ? endsAt - now : isFull ? window.length : 0));
      return { used: told, resetIn, isFull, reached: null };
    };
    if (admitted && !isLook)
      for (const { rule, counts, full } of found) {
        if (full.includes(true)) continue;
        for (const [at, count] of counts.entries()) {
          if (count.endsAt === 0) count.endsAt = now + (rule.windows[at]?.length ?? 0);
          count.used++;
        }
        kept[rule.whenRedisIsAway].set(rule.name, counts);
      }
    const states = found.map(({ rule, counts, full }) =>
      rule.windows.map((window, at) => state(rule, window, counts[at], full[at] === true)),
    );
    const waits = states.flatMap((windows, at) =>
      found[at]?.rule.shadow === true ? [] : windows.filter(({ isFull }) => isFull).map(({ resetIn }) => resetIn),
    );
    const retryIn: Millis = milliseconds(admitted ? 0 : Math.max(1, ...waits));
    return { admitted, at: instant(clock.now()), retryIn, buckets: states };
  };
  return { take: (rules) => decide(rules, false), look: (rules) => decide(rules, true) };
};
