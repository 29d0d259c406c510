/**
 * The books of the limits: how many requests each rule admitted and refused, for each key and hour. Counted in this process
 * and handed to Redis once a second, so that a request pays for nothing but an addition.
 */
import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { days, hours, seconds, type Millis } from "../domain/time.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { noteLimits, type LimitBatch, type LimitCount } from "../redis/scripts/note-limits.ts";
import { plainName } from "./bucket-name.ts";
import { limitEvents } from "./limit-event.ts";
import type { Facts } from "./caller.ts";
import type { Taken } from "./limiter.ts";
import type { AppliedRule } from "./rules-for.ts";

export type UseOutcome = "admitted" | "refused" | "shadow";

export interface UsageCounter {
  note(taken: Taken): void;
  flush(): Promise<void>;
  /** Flushes once more, and stops. */
  close(): Promise<void>;
}

const EVERY = seconds(1);
const HOUR = hours(1);
const DAY = days(1);

/** Of one rule, key and hour. Beyond so many in a second, or while Redis is away, all others are counted together. */
const MOST_COUNTS = 10_000;
const MOST_EVENTS = 1_000;
/** One call holds Redis for a millisecond or two. */
const COUNTS_IN_A_BATCH = 500;

const OTHERS = "others";

type Count = LimitCount & { requests: number };

interface Latest {
  readonly facts: Facts;
  readonly hour: number;
  readonly outcome: UseOutcome;
  readonly count: Count;
}

/** Whose report it stands in, and under which key. */
const ownerOf = ({ facts }: Taken): string =>
  plainName(facts.account ?? facts.organisation ?? facts.profile ?? facts.user ?? "nobody");

/** Null: it was in no way this rule's. What one rule refused is not held against the others. */
const outcomeFor = (shadow: boolean, admitted: boolean, isFull: boolean): UseOutcome | null => {
  if (shadow) return admitted ? (isFull ? "shadow" : "admitted") : null;
  return admitted ? "admitted" : isFull ? "refused" : null;
};

const everySo = (every: Millis, what: () => void): (() => void) => {
  const timer = setInterval(what, every).unref();
  return () => clearInterval(timer);
};

export const usageCounter = (parts: {
  readonly scripts: ScriptRunner;
  readonly log: Logger;
  readonly repeat?: (every: Millis, what: () => void) => () => void;
}): UsageCounter => {
  const { scripts, log, repeat = everySo } = parts;
  const process = randomBytes(8).toString("hex");
  let counts = new Map<string, Count>();
  // Of a rule as it was applied: what it was counted in last.
  let latest = new WeakMap<AppliedRule, Latest>();
  let events: string[] = [];
  /** Sent again under its number until it is known to have been noted. */
  let pending: LimitBatch | null = null;
  let lastBatch = 0;
  let flushing: Promise<void> | null = null;
  let isAway = false;

  const countOf = (owner: string, key: string, rule: string, hour: number, outcome: UseOutcome): Count => {
    const name = `${owner} ${hour}|${rule}|${key}|${outcome}`;
    const known = counts.get(name);
    if (known) return known;
    if (counts.size >= MOST_COUNTS && owner !== OTHERS) return countOf(OTHERS, "-", rule, hour, outcome);
    const count = { owner, day: Math.floor(hour / DAY), field: `${hour}|${rule}|${key}|${outcome}`, requests: 0 };
    counts.set(name, count);
    return count;
  };

  const add = (taken: Taken, rule: AppliedRule, hour: number, outcome: UseOutcome): void => {
    const last = latest.get(rule);
    if (last?.facts === taken.facts && last.hour === hour && last.outcome === outcome) {
      last.count.requests++;
      return;
    }
    const count = countOf(ownerOf(taken), plainName(taken.facts.key ?? "-"), rule.rule, hour, outcome);
    count.requests++;
    latest.set(rule, { facts: taken.facts, hour, outcome, count });
  };

  const nextBatch = (): LimitBatch | null => {
    if (counts.size === 0 && events.length === 0) return null;
    const all = [...counts];
    counts = new Map(all.slice(COUNTS_IN_A_BATCH));
    latest = new WeakMap();
    const told = events;
    events = [];
    lastBatch++;
    return { number: lastBatch, counts: all.slice(0, COUNTS_IN_A_BATCH).map(([, count]) => count), events: told };
  };

  const hand = async (): Promise<void> => {
    for (;;) {
      pending ??= nextBatch();
      if (pending === null) return;
      await noteLimits(scripts, process, pending);
      pending = null;
      isAway = false;
    }
  };

  const flush = (): Promise<void> => {
    flushing ??= hand()
      .catch((error: unknown) => {
        if (!isAway) log.warn({ event: "limit_use_waits", err: error }, "Counts of API limits wait for Redis");
        isAway = true;
      })
      .finally(() => {
        flushing = null;
      });
    return flushing;
  };
  const stop = repeat(EVERY, () => void flush());

  return {
    note(taken) {
      const hour = taken.admission.at - (taken.admission.at % HOUR);
      const { admitted, buckets } = taken.admission;
      for (const [at, rule] of taken.rules.entries()) {
        const isFull = buckets[at]?.some((window) => window.isFull) === true;
        const outcome = outcomeFor(rule.shadow, admitted, isFull);
        if (outcome !== null) add(taken, rule, hour, outcome);
      }
      if (events.length < MOST_EVENTS) for (const event of limitEvents(taken)) events.push(JSON.stringify(event));
    },
    flush,
    async close() {
      stop();
      // What is under way may have begun before the last requests were noted.
      await flushing;
      await flush();
    },
  };
};
