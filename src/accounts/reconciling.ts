/** Makes the rules at the gate agree again with what is stated: after a crash between the two, and after plans changed. */
import type { Redis } from "ioredis";
import type { Keys } from "../redis/keys.ts";
import type { Plans } from "./plan.ts";

/** Accounts read at a time when a plan has changed. */
const PAGE = 200;

export interface Reconciled {
  /** Changes that somebody began and did not finish. */
  readonly completed: number;
  /** Accounts whose plan was set anew. */
  readonly replanned: number;
}

/**
 * `completed` costs what crashed, `replanned` a walk over all accounts, and that only when a plan differs from the one
 * set last: an ordinary start reads two small keys, however many accounts there are. A walk that dies begins anew at the
 * next start, since the plan is noted after it. A plan that is gone from the file is left alone: its accounts' limits
 * stay as they are at the gate, which is safer than lifting them.
 */
export const reconciling = (parts: {
  redis: Redis;
  keys: Keys;
  plans: Plans;
  /** Puts an account's rules into force, in turn with other changes of it. */
  again: (id: string) => Promise<unknown>;
}): (() => Promise<Reconciled>) => {
  const { redis, keys, plans, again } = parts;

  const changedPlans = async (): Promise<ReadonlyMap<string, string>> => {
    const known = await redis.hgetall(keys.plans);
    const now = [...plans].map(([name, { weight, quotas }]) => [name, JSON.stringify({ weight, quotas })] as const);
    return new Map(now.filter(([name, json]) => known[name] !== json));
  };

  const planOf = async (ids: readonly string[]): Promise<readonly unknown[]> => {
    const reads = redis.pipeline();
    for (const id of ids) reads.hget(keys.account(id), "plan");
    return ((await reads.exec()) ?? []).map(([error, plan]) => {
      if (error) throw error;
      return plan;
    });
  };

  return async () => {
    const begun = await redis.zrange(keys.changing, "0", "-1");
    for (const id of begun) await again(id);

    const changed = await changedPlans();
    let replanned = 0;
    for (let from = "-", pageFull = changed.size > 0; pageFull;) {
      const ids = await redis.zrangebylex(keys.accounts, from, "+", "LIMIT", 0, PAGE);
      const planNames = await planOf(ids);
      const theirs = ids.filter((_, index) => changed.has(String(planNames[index])));
      await Promise.all(theirs.map(again));
      replanned += theirs.length;
      pageFull = ids.length === PAGE;
      from = `(${ids.at(-1) ?? ""}`;
    }
    if (changed.size > 0) await redis.hset(keys.plans, Object.fromEntries(changed));
    return { completed: begun.length, replanned };
  };
};
