/** The plans that are in force now: read when they are needed, since any process may have changed them. */
import type { Redis } from "ioredis";
import type { Keys } from "../redis/keys.ts";
import type { Plans } from "./plan.ts";
import { withGone } from "./plan-note.ts";
import { overFile } from "./plan-record.ts";

export type ReadPlans = () => Promise<Plans>;

export const readPlansOn =
  (redis: Redis, keys: Keys, file: Plans): ReadPlans =>
  async () =>
    overFile(await redis.hgetall(keys.setPlans), file);

/** With those that are gone from the file and hold at the gate as they did: what is in force, and not what may be had. */
export const readPlansAtGateOn =
  (redis: Redis, keys: Keys, file: Plans): ReadPlans =>
  async () => {
    const [set, notes] = await Promise.all([redis.hgetall(keys.setPlans), redis.hgetall(keys.plans)]);
    return withGone(overFile(set, file), set, notes);
  };
