/**
 * The gate's promises under random histories of faults and people, on the real scripts: a judge on the provider's side, and
 * every count compared with what it counts after every step. A failure prints the smallest history that was found, with its
 * seed: SLUICE_MODEL_SEED and SLUICE_MODEL_PATH play it again, SLUICE_MODEL_RUNS plays more.
 */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { Redis } from "ioredis";
import type { Cell } from "../../src/redis/keys.ts";
import type { Mutation } from "../support/gate-stage.ts";
import { testRedis, type TestRedis } from "../support/redis.ts";
import { calm } from "./model/calm.ts";
import { STEPS } from "./model/steps.ts";
import { aWorld } from "./model/world.ts";

const { SLUICE_MODEL_RUNS, SLUICE_MODEL_SEED, SLUICE_MODEL_PATH } = process.env;
const RUNS = Number(SLUICE_MODEL_RUNS ?? 80);
const STEPS_AT_MOST = 250;
const SHRINK_FOR = 50_000;

/** Rules whose loss a few histories must show; gate-ablation.test.ts takes out every one. */
const LOSSES: readonly (Mutation & { readonly rule: string })[] = [
  { rule: "3: holds on the whole chain", find: "add(q, 'held', chain.held)", replace: "" },
  { rule: "1: used is carried", find: "used = f[field.used] or 0\n", replace: "used = 0\n" },
  {
    rule: "4: begin checks again",
    script: "begin",
    find: "if blocked_until(q, 0, account.zone, now) > 0",
    replace: "if false",
  },
  {
    rule: "6: another run is told 'taken'",
    script: "begin",
    find: "if x.f.token ~= token then return { 'taken' } end",
    replace: "",
  },
  { rule: "8: a raised limit wakes", script: "set-limits", find: "else wake_account(account) end", replace: "end" },
];

describe("any history of the gate", () => {
  let server: TestRedis;
  let redis: Redis;
  let histories = 0;
  beforeAll(async () => {
    server = await testRedis();
    redis = server.connect();
  });
  afterAll(() => server.close());

  const history = (mutations: readonly Mutation[], note: (steps: number, arrivals: number) => void) =>
    fc.asyncProperty(fc.nat(), fc.commands(STEPS, { maxCommands: STEPS_AT_MOST, size: "max" }), async (seed, steps) => {
      const cell = `${server.cell}${histories++}:` as Cell;
      const world = await aWorld(redis, cell, seed, mutations);
      try {
        await fc.asyncModelRun(() => ({ model: {}, real: world }), steps);
        await calm(world);
      } finally {
        const keys = await redis.keys(`${cell}*`);
        if (keys.length > 0) await redis.unlink(keys);
      }
      note(world.step, world.judge.arrivals.length);
    });

  it(
    "is never over in any window, never idle, loses nothing, repeats no SMS, and leaves nothing behind",
    async () => {
      const totals = { histories: 0, steps: 0, arrivals: 0 };
      const note = (steps: number, arrivals: number): void => {
        totals.histories++;
        totals.steps += steps;
        totals.arrivals += arrivals;
      };
      await fc.assert(history([], note), {
        numRuns: RUNS,
        // A failure is made smaller for so long; what is found by then is printed.
        interruptAfterTimeLimit: RUNS * 1_000 + SHRINK_FOR,
        ...(SLUICE_MODEL_SEED === undefined ? {} : { seed: Number(SLUICE_MODEL_SEED) }),
        ...(SLUICE_MODEL_PATH === undefined ? {} : { path: SLUICE_MODEL_PATH }),
      });
      if (SLUICE_MODEL_RUNS !== undefined) process.stdout.write(`${JSON.stringify(totals)}\n`);
    },
    RUNS * 1_000 + SHRINK_FOR + 30_000,
  );

  it.each(LOSSES)(
    "shows it when a rule is lost ($rule)",
    async (mutation) => {
      const found = await fc.check(
        history([mutation], () => {}),
        { numRuns: 60, seed: 7, endOnFailure: true },
      );
      expect((found.errorInstance as Error | null)?.name).toBe("Violated");
    },
    // A machine that does much else beside.
    240_000,
  );
});
