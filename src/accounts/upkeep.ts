/** Makes the rules at the gate agree again with what is stated: after a crash between the two, and after plans changed. */
import type { Redis } from "ioredis";
import type { Keys } from "../redis/keys.ts";
import type { Plans } from "./plan.ts";
import { noteOf, UNTOLD } from "./plan-note.ts";
import type { ReadPlans } from "./plans-in-force.ts";

/** Accounts read at a time when a plan has changed. */
const PAGE = 200;

export interface Upkeep {
  /**
   * Completes the changes that somebody began and did not finish; answers how many. Every few seconds, by any process, or
   * several. Costs one small read while nobody has crashed.
   */
  finishChanges(): Promise<number>;
  /**
   * Puts plans into force that differ from those set last; answers for how many accounts. At start, while requests are served
   * already: it walks over all accounts, but only when a plan has changed, and one to which it has not come has the limits of
   * before. One that dies begins anew at the next start, since the plans are noted after it. A plan that is gone from the file
   * is left alone: its accounts' limits stay as they are at the gate, which is safer than lifting them.
   */
  replan(): Promise<number>;
  /**
   * The same for plans that were set over the API and no others, and again: for whoever died while telling accounts. Not
   * for those of the file, of which two releases may have two versions for a while, and would take turns for ever. Costs one
   * small read where none was set.
   */
  finishPlans(): Promise<number>;
  /**
   * Takes note of an account that was told of its plan by itself, as when it is made. While two releases run, or two files, it
   * may have been told of another version than all the others: the next start that is to look for such must tell them again,
   * though it finds the plan as it was set last.
   */
  toldOne(plan: string | null): Promise<void>;
}

export const upkeepOn = (parts: {
  redis: Redis;
  keys: Keys;
  plansNow: ReadPlans;
  /** Of these, those that were set over the API. */
  plansSet: ReadPlans;
  /** Of the file. */
  file: Plans;
  /** Puts an account's rules into force; false when there is none, or it is somebody else's turn. */
  again: (id: string, options: { waits: boolean }) => Promise<boolean>;
}): Upkeep => {
  const { redis, keys, plansNow, plansSet, file, again } = parts;

  const changedIn = async (plans: Plans): Promise<ReadonlyMap<string, string>> => {
    const known = await redis.hgetall(keys.plans);
    const now = [...plans].map(([name, plan]) => [name, noteOf(plan)] as const);
    return new Map(now.filter(([name, json]) => known[name] !== json));
  };

  const plansOf = async (ids: readonly string[]): Promise<readonly unknown[]> => {
    const reads = redis.pipeline();
    for (const id of ids) reads.hget(keys.account(id), "plan");
    return ((await reads.exec()) ?? []).map(([error, plan]) => {
      if (error) throw error;
      return plan;
    });
  };

  const tell = async (changed: ReadonlyMap<string, string>): Promise<number> => {
    let replanned = 0;
    // Until all are told nobody knows what they have: whoever goes back to what was told before tells them again.
    if (changed.size > 0) await redis.hdel(keys.plans, ...changed.keys());
    for (let from = "-", isFull = changed.size > 0; isFull;) {
      const ids = await redis.zrangebylex(keys.accounts, from, "+", "LIMIT", 0, PAGE);
      const plansOfThem = await plansOf(ids);
      const theirs = ids.filter((_, index) => changed.has(String(plansOfThem[index])));
      // Waits for who is changing one: they may be a process with the old plans, and set those.
      await Promise.all(theirs.map((id) => again(id, { waits: true })));
      replanned += theirs.length;
      isFull = ids.length === PAGE;
      from = `(${ids.at(-1) ?? ""}`;
    }
    // Somebody may have told some of them of another version meanwhile, and nobody knows who came last.
    for (const [name, note] of changed)
      if (!(await redis.hsetnx(keys.plans, name, note)) && (await redis.hget(keys.plans, name)) !== note)
        await redis.hset(keys.plans, name, UNTOLD);
    return replanned;
  };

  return {
    finishChanges: async () => {
      let completed = 0;
      for (const id of await redis.zrange(keys.changing, "0", "-1")) if (await again(id, { waits: false })) completed++;
      return completed;
    },
    replan: async () => tell(await changedIn(await plansNow())),
    toldOne: async (name) => {
      const plan = name === null ? undefined : file.get(name);
      if (name === null || !plan || (await redis.hexists(keys.setPlans, name))) return;
      // Also where there is no note: somebody is telling them, perhaps of another version, and has been here already.
      if ((await redis.hget(keys.plans, name)) !== noteOf(plan)) await redis.hset(keys.plans, name, UNTOLD);
    },
    finishPlans: async () => {
      const set = await plansSet();
      return set.size > 0 ? tell(await changedIn(set)) : 0;
    },
  };
};
