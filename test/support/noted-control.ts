/** A gate that notes what it is told, in order, and does the little that accounts read back from it. */
import type { Redis } from "ioredis";
import { instant } from "../../src/domain/time.ts";
import type { GateControl } from "../../src/gate/control.ts";
import type { Keys } from "../../src/redis/keys.ts";

export interface NotedControl extends GateControl {
  readonly notes: unknown[][];
  /** Runs before a rule is set: to fail, to wait, or to look. */
  before: (what: string) => Promise<void> | void;
}

export const notedControl = (redis: Redis, keys: Keys): NotedControl => {
  const notes: unknown[][] = [];
  const note = async (what: string, ...args: unknown[]): Promise<void> => {
    await control.before(what);
    notes.push([what, ...args]);
  };
  const control: NotedControl = {
    notes,
    before: () => {},
    setLimits: (scope, limits) => note("setLimits", scope, limits),
    setAccount: async (account, rules) => {
      await note("setAccount", account, rules);
      await redis.hset(keys.account(account), rules);
    },
    setSenderRate: (...args) => note("setSenderRate", ...args),
    setChannelRate: (...args) => note("setChannelRate", ...args),
    pause: async (account, channel) => {
      await note("pause", account, channel);
      if (account !== null) await redis.hset(keys.accountOnChannel(account, channel), "paused", 1);
    },
    resume: async (account, channel) => {
      await note("resume", account, channel);
      if (account !== null) await redis.hdel(keys.accountOnChannel(account, channel), "paused");
    },
    removeAccount: async (account) => {
      await note("removeAccount", account);
      await redis.hset(keys.account(account), "removed", 1);
      return Number((await redis.hget(keys.account(account), "open")) ?? 0);
    },
    cancelSome: async (account) => {
      await note("cancelSome", account);
      const open = Number((await redis.hget(keys.account(account), "open")) ?? 0);
      const left = Math.max(0, open - 200);
      await redis.hset(keys.account(account), "open", left);
      return left;
    },
    runningWindows: async (account) => {
      await note("runningWindows", account);
      return { hour: instant(1), day: instant(2), month: instant(3) };
    },
  };
  return control;
};
