/** The plans that are in force now: read when they are needed, since any process may have changed them. */
import type { Redis } from "ioredis";
import type { Keys } from "../redis/keys.ts";
import type { Plans } from "./plan.ts";
import { overFile } from "./plan-record.ts";

export type ReadPlans = () => Promise<Plans>;

export const readPlansOn =
  (redis: Redis, keys: Keys, file: Plans): ReadPlans =>
  async () =>
    overFile(await redis.hgetall(keys.setPlans), file);
