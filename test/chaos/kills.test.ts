/** The short, fixed form of `npm run chaos`: a death at every point, then random ones. Judged by the ledgers alone. */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { scratchDirectory } from "../start/scratch.ts";
import { EVERY_POINT } from "./points.ts";
import type { Verdict } from "./judge.ts";
import { chaosRun } from "./run.ts";

const SEED = 20_260_307;

describe(`kill -9 of workers, APIs and Redis, under load, with hours passing (seed ${SEED})`, () => {
  const scratch = scratchDirectory();
  let result: Verdict;
  const said: string[] = [];

  beforeAll(async () => {
    result = await chaosRun({
      seed: SEED,
      directory: scratch.path,
      fsync: "always",
      withStalls: false,
      apis: 2,
      workers: 3,
      points: EVERY_POINT,
      wire: 8_000,
      measuresDoubt: false,
      pace: { worker: 1_000, api: 2_500, redis: 4_500 },
      enough: ({ workers, apis, redis }) => workers >= 30 && apis >= 10 && redis >= 3,
      leastFull: 4,
      say: (line) => said.push(line),
    });
  }, 600_000);
  afterAll(() => scratch.remove());

  const n = (name: string): number => result.figures[name] ?? NaN;

  it("was a run in which 30 workers, 10 APIs and 3 Redis died, each point of ours among them", () => {
    expect(n("worker_kills")).toBeGreaterThanOrEqual(30);
    expect(n("api_kills")).toBeGreaterThanOrEqual(10);
    expect(n("redis_kills")).toBeGreaterThanOrEqual(3);
    expect(n("arrivals")).toBeGreaterThan(200);
    expect(n("windows_full")).toBeGreaterThan(3);
  });

  it("loses nothing that was answered with 202, sends no text and no call twice, a mail only where somebody died, and goes over no quota", () => {
    // Everything that the judge holds against it, in sentences; `said` tells how far it came.
    expect({ said, violations: result.violations }).toEqual({ said, violations: [] });
    expect([n("lost"), n("duplicates_other"), n("windows_over")]).toEqual([0, 0, 0]);
  });
});
