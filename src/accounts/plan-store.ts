/**
 * Plans as the operator changes them. What is set stands in Redis and goes before the file: the look-up that authenticates
 * a key finds it there, so API limits hold from the write on; accounts are told of quotas and weights in batches.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Redis } from "ioredis";
import { notesOf, SYSTEM, type Changed, type Who } from "../domain/audit.ts";
import { beingChanged, planInUse } from "../domain/errors.ts";
import { newSeed } from "../domain/id.ts";
import { seconds, type Clock } from "../domain/time.ts";
import type { Keys } from "../redis/keys.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { writePlans } from "../redis/scripts/plans-write.ts";
import type { Plan, PlanInForce, Plans, PlanStore } from "./plan.ts";
import { overFile, planJson, REMOVED } from "./plan-record.ts";
import { isSame } from "./stated-changes.ts";

/** Changes of plans at once, beyond which somebody changes them without end. */
const MOST_LOOKS = 20;
/** A hundred thousand accounts take minutes. Whoever asked is answered before that, and the rest goes on. */
const LONGEST_WAIT = seconds(10);

export interface PlanStoreParts {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly scripts: ScriptRunner;
  readonly clock: Clock;
  readonly file: Plans;
  /** Puts changed plans into force for the accounts that have them. */
  readonly tellAccounts: () => Promise<unknown>;
}

const changeOf = (name: string, before: Plan | undefined, after: Plan | undefined): Changed => ({
  account: null,
  what: !before ? "plan.made" : after ? "plan.patched" : "plan.removed",
  from: before ? { name, ...planJson(before) } : null,
  to: after ? { name, ...planJson(after) } : null,
});

const isSamePlan = (a: Plan | undefined, b: Plan | undefined): boolean => isSame(a && planJson(a), b && planJson(b));

export const planStoreOn = ({ redis, keys, scripts, clock, file, tellAccounts }: PlanStoreParts): PlanStore => {
  const list = async (): Promise<readonly PlanInForce[]> => {
    const set = await redis.hgetall(keys.setPlans);
    return [...overFile(set, file)]
      .map(([name, plan]) => ({
        name,
        ...plan,
        source: Object.hasOwn(set, name) ? ("api" as const) : ("file" as const),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  };
  const get = async (name: string): Promise<PlanInForce | null> =>
    (await list()).find((plan) => plan.name === name) ?? null;

  /** @param next what is to be, from what is */
  const change = async (next: (before: Plans) => Plans, who: Who): Promise<void> => {
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const set = await redis.hgetall(keys.setPlans);
      const before = overFile(set, file);
      const after = next(before);
      const names = [...new Set([...before.keys(), ...after.keys()])].filter(
        (name) => !isSamePlan(before.get(name), after.get(name)),
      );
      if (names.length === 0) return;
      const writes = names.map((name) => {
        const plan = after.get(name);
        // Every object has something called "constructor", which is a good name for a plan.
        const seen = Object.hasOwn(set, name) ? (set[name] ?? "") : "";
        return { name, seen, json: plan ? JSON.stringify(planJson(plan)) : REMOVED };
      });
      const changes = names.map((name) => changeOf(name, before.get(name), after.get(name)));
      const written = await writePlans(scripts, writes, notesOf(changes, who, newSeed(clock.now())));
      if (written.kind === "in_use") throw planInUse(written.name, written.accounts);
      if (written.kind === "done") return;
    }
    throw beingChanged("the plans");
  };

  const told = async (): Promise<void> => {
    const enough = new AbortController();
    const waited = pause(LONGEST_WAIT, undefined, { signal: enough.signal, ref: false }).catch(() => {});
    // What is not told when this process dies, others tell.
    await Promise.race([tellAccounts(), waited]).finally(() => enough.abort());
  };

  return {
    list,
    get,
    put: async (name, plan, who = SYSTEM) => {
      await change((before) => new Map(before).set(name, plan), who);
      await told();
      return { name, ...plan, source: (await get(name))?.source ?? "api" };
    },
    putAll: async (plans, who = SYSTEM) => {
      await change(() => plans, who);
      await told();
      return list();
    },
  };
};
