/** Stages for a test file: one connection, a cell for each stage, all of it gone at the end. */
import { afterAll, beforeAll } from "@jest/globals";
import type { Redis } from "ioredis";
import type { Cell } from "../../src/redis/keys.ts";
import { gateStage, row, type Stage, type StageOptions } from "./gate-stage.ts";
import { testRedis, type TestRedis } from "./redis.ts";

export const gateStages = (): ((options?: StageOptions) => Promise<Stage>) => {
  let server: TestRedis;
  let redis: Redis;
  let stages = 0;
  beforeAll(async () => {
    server = await testRedis();
    redis = server.connect();
  });
  afterAll(() => server.close());
  // Begins with the file's own tag, so that it lies in the same slot and goes with the file's keys.
  return (options) => gateStage(redis, `${server.cell}${stages++}:` as Cell, options);
};

/** Stages with one account, `a`, by UTC. */
export const stagesOfOne = (): (() => Promise<Stage>) => {
  const newStage = gateStages();
  return async () => {
    const stage = await newStage();
    await stage.zoneRow("UTC", row());
    await stage.account("a", { zone: "UTC" });
    return stage;
  };
};
