import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { milliseconds } from "../../src/domain/time.ts";
import type { Admission, AdmitBucket, AdmitWindow } from "../../src/redis/admissions.ts";
import { admit, admitEach } from "../../src/redis/scripts/admit.ts";
import { limitModel, type LimitModel } from "./model.ts";
import { limitStages, MIDNIGHT, type LimitStage } from "./stage.ts";

const aStage = limitStages();

/** Histories side by side: each waits for Redis most of the time. */
const HANDS = 4;
const inHistories = async (property: () => fc.IAsyncProperty<unknown>, runs: number): Promise<void> => {
  const numRuns = Math.ceil(runs / HANDS);
  await Promise.all(Array.from({ length: HANDS }, () => fc.assert(property(), { numRuns })));
};

/** The long form: SLUICE_LIMIT_RUNS=10000. */
const RUNS = Number(process.env["SLUICE_LIMIT_RUNS"] ?? 500);
/** Bytes: the head, and twice the grains and one. */
const LARGEST_ROLLING = 19 + 121 * 10;

type Kind = AdmitWindow["kind"];
const window = (kind: Kind, length: number, limit: number | null): AdmitWindow => ({
  kind,
  length: milliseconds(length),
  limit,
});
const bucket = (name: string, ...windows: AdmitWindow[]): AdmitBucket => ({ name, shadow: false, windows });
const take = (stage: LimitStage, ...buckets: AdmitBucket[]) => admit(stage.scripts, "take", buckets);
const look = (stage: LimitStage, ...buckets: AdmitBucket[]) => admit(stage.scripts, "look", buckets);
const usedIn = ({ buckets }: Admission) => buckets.map((windows) => windows.map(({ used }) => used));

/** A sixtieth of the window: by so much, and no more, may a request of a large limit count too long. */
const grain = ({ kind, length }: AdmitWindow, isExact: boolean): number =>
  kind === "rolling" && !isExact ? length / 60 : 0;

/** Plays one request, and holds what is answered against the model. */
const judged = async (stage: LimitStage, model: LimitModel, buckets: readonly AdmitBucket[], isExact: boolean) => {
  const now = stage.now();
  const admission = await take(stage, ...buckets);
  const isFull = (slackOf: (one: AdmitWindow) => number) => (one: AdmitBucket) =>
    one.windows.some((w) => w.limit !== null && model.used(one.name, w, now, slackOf(w)) >= w.limit);
  const surelyFull = isFull(() => 0);
  const perhapsFull = isFull((w) => grain(w, isExact));
  const real = buckets.filter(({ shadow }) => !shadow);
  if (admission.admitted) {
    // Never over.
    expect(real.filter(surelyFull)).toEqual([]);
    expect(admission.retryIn).toBe(0);
  } else {
    // Never idle.
    expect(real.filter(perhapsFull)).not.toEqual([]);
  }
  for (const [at, one] of buckets.entries()) {
    const wasFull = admission.buckets[at]?.some((state) => state.isFull) === true;
    if (surelyFull(one)) expect(wasFull).toBe(true);
    if (!perhapsFull(one)) expect(wasFull).toBe(false);
    // A shadow bucket charges what it would have let through, the others all or nothing.
    if (admission.admitted && !wasFull) model.charge(one, now);
    for (const [index, w] of one.windows.entries()) {
      const { used, resetIn } = admission.buckets[at]?.[index] ?? { used: -1, resetIn: -1 };
      expect(used).toBeGreaterThanOrEqual(model.used(one.name, w, now));
      expect(used).toBeLessThanOrEqual(model.used(one.name, w, now, grain(w, isExact)));
      expect(resetIn).toBeLessThanOrEqual(w.length);
      expect(resetIn > 0 || used === 0).toBe(true);
    }
  }
  return admission;
};

/** Nobody else asks meanwhile: a millisecond too early is too early, and then it is admitted. */
const comesBackInTime = async (stage: LimitStage, { retryIn }: Admission, buckets: readonly AdmitBucket[]) => {
  expect(retryIn).toBeGreaterThan(0);
  await stage.by(retryIn - 1);
  expect((await look(stage, ...buckets)).admitted).toBe(false);
  await stage.by(1);
  expect((await look(stage, ...buckets)).admitted).toBe(true);
};

const aWindow = (limits: fc.Arbitrary<number | null>) =>
  fc.record({
    kind: fc.constantFrom<Kind>("rolling", "fixed", "clock"),
    length: fc.constantFrom(600, 1_000, 6_000, 60_000, 3_600_000).map(milliseconds),
    limit: limits,
  });

const aBucket = (name: string, limits: fc.Arbitrary<number | null>): fc.Arbitrary<AdmitBucket> =>
  fc.record({
    name: fc.constant(name),
    shadow: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    // One string holds them: no two of the same kind and length in the model's eyes.
    windows: fc.uniqueArray(aWindow(limits), {
      minLength: 1,
      maxLength: 3,
      selector: ({ kind, length }) => `${kind} ${length}`,
    }),
  });

/** Short waits, waits of about a window's length, and waits that jump over it. */
const aWait = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 700 }) },
  { weight: 2, arbitrary: fc.constantFrom(599, 600, 601, 1_000, 5_999, 6_000, 6_001, 59_999, 60_000) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 4_000_000 }) },
);

describe("windows, in histories of any kind,", () => {
  const small = fc.option(fc.integer({ min: 1, max: 6 }), { nil: null, freq: 6 });
  const history = fc.record({
    buckets: fc.tuple(aBucket("a", small), aBucket("b", small), aBucket("c", small)),
    steps: fc.array(
      fc.record({
        wait: aWait,
        requests: fc.integer({ min: 1, max: 4 }),
        /** Which of the buckets apply to it. */
        which: fc.constantFrom([0], [1], [0, 1], [0, 1, 2]),
        /** Sets the limit of one window anew, in force at once. */
        change: fc.option(fc.record({ of: fc.nat(2), window: fc.nat(2), limit: small }), { nil: null, freq: 8 }),
        isPatient: fc.boolean(),
      }),
      { minLength: 5, maxLength: 25 },
    ),
  });

  it(
    "never let one more through than the plainest model, nor one less, and say to the millisecond when",
    async () => {
      let refused = 0;
      await inHistories(
        () =>
          fc.asyncProperty(history, async ({ buckets, steps }) => {
            const stage = await aStage();
            const model = limitModel();
            const inForce = buckets.map((one) => ({ ...one, windows: [...one.windows] }));
            for (const { wait, requests, which, change, isPatient } of steps) {
              await stage.by(wait);
              const changed = change && inForce[change.of]?.windows[change.window];
              if (change && changed) inForce[change.of]!.windows[change.window] = { ...changed, limit: change.limit };
              const asked = which.map((at) => inForce[at]!);
              for (let n = 0; n < requests; n++) {
                const admission = await judged(stage, model, asked, true);
                if (admission.admitted) continue;
                refused++;
                if (isPatient) await comesBackInTime(stage, admission, asked);
              }
            }
          }),
        RUNS,
      );
      expect(refused).toBeGreaterThan(RUNS);
    },
    RUNS * 1_000,
  );

  it.each([
    ["decide requests of one call as if each had come alone", false],
    ["decide those of one caller as a group, one after the other, and each group as if it had come alone", true],
  ])(
    "%s",
    async (_name, areOfOneCaller) => {
      let refused = 0;
      await inHistories(
        () =>
          fc.asyncProperty(history, async ({ buckets, steps }) => {
            const [alone, together] = [await aStage(), await aStage()];
            for (const { wait, requests, which } of steps) {
              await Promise.all([alone.by(wait), together.by(wait)]);
              const callers = [which.map((at) => buckets[at]), [buckets[0], buckets[2]]];
              const asked = Array.from({ length: 3 * requests }, (_, n) => {
                const own = callers[n % 3 === 2 ? 1 : 0]!;
                // The same list says that it is the same caller.
                return {
                  mode: n % 4 === 3 ? ("look" as const) : ("take" as const),
                  buckets: areOfOneCaller ? own : [...own],
                };
              });
              const firstAlike = (n: number) =>
                asked.findIndex((one) => one.mode === asked[n]!.mode && one.buckets === asked[n]!.buckets);
              const inOrder = [...asked.keys()].toSorted((x, y) => firstAlike(x) - firstAlike(y) || x - y);
              const one: Admission[] = [];
              for (const n of inOrder) one[n] = await admit(alone.scripts, asked[n]!.mode, asked[n]!.buckets);
              expect(await admitEach(together.scripts, asked)).toEqual(one);
              refused += one.filter(({ admitted }) => !admitted).length;
            }
          }),
        100,
      );
      expect(refused).toBeGreaterThan(100);
    },
    100_000,
  );

  const large = fc.integer({ min: 50, max: 400 });
  const crowd = fc.record({
    limits: fc.tuple(large, large),
    steps: fc.array(fc.record({ wait: fc.integer({ min: 0, max: 9_000 }), burst: fc.integer({ min: 1, max: 120 }) }), {
      minLength: 4,
      maxLength: 12,
    }),
    spread: fc.integer({ min: 0, max: 40 }),
    lowered: large,
  });

  it(
    "count the requests of large limits a sixtieth of the window too long at most, in bounded memory",
    async () => {
      await inHistories(
        () =>
          fc.asyncProperty(crowd, async ({ limits: [first, second], steps, spread, lowered }) => {
            const stage = await aStage();
            const model = limitModel();
            for (const [at, { wait, burst }] of steps.entries()) {
              await stage.by(wait);
              const limit = at < steps.length / 2 ? first : lowered;
              const asked = [bucket("a", window("rolling", 6_000, limit), window("rolling", 60_000, second * 2))];
              for (let n = 0; n < burst; n++) {
                if (spread > 0) await stage.by(n % spread);
                const admission = await judged(stage, model, asked, false);
                if (!admission.admitted) {
                  await comesBackInTime(stage, admission, asked);
                  break;
                }
              }
              expect(await stage.redis.strlen(`${stage.cell}lim:a`)).toBeLessThanOrEqual(2 * LARGEST_ROLLING);
            }
          }),
        RUNS / 40,
      );
    },
    RUNS * 1_000,
  );
});

describe("many at once", () => {
  it.each<[Kind, number]>([
    ["rolling", 15_000],
    ["rolling", 50],
    ["fixed", 50],
    ["clock", 50],
  ])("over several connections get what a %s window of %i has, and not one more", async (kind, limit) => {
    const stage = await aStage();
    const asked = bucket("crowd", window(kind, 60_000, limit));
    const many = Math.min(limit, 2_000) + 100;
    const before = limit - Math.min(limit, 2_000);
    for (let n = 0; n < before; n += 500)
      await Promise.all(Array.from({ length: Math.min(500, before - n) }, () => take(stage, asked)));
    const answers = await Promise.all(
      stage.others.flatMap((scripts) =>
        Array.from({ length: many / stage.others.length }, () => admit(scripts, "take", [asked])),
      ),
    );
    expect(answers.filter(({ admitted }) => admitted)).toHaveLength(many - 100);
    expect(await stage.redis.strlen(`${stage.cell}lim:crowd`)).toBeLessThanOrEqual(LARGEST_ROLLING);
  });
});

describe("a request that is refused", () => {
  it("is charged to none of the windows, and begins none", async () => {
    const stage = await aStage();
    const strict = bucket("strict", window("fixed", 60_000, 1));
    const wide = bucket(
      "wide",
      window("fixed", 60_000, 100),
      window("rolling", 60_000, 100),
      window("clock", 60_000, 9),
    );
    expect((await take(stage, strict)).admitted).toBe(true);
    for (let n = 0; n < 20; n++) expect((await take(stage, wide, strict)).admitted).toBe(false);
    expect(usedIn(await look(stage, wide, strict))).toEqual([[0, 0, 0], [1]]);
    expect(await stage.redis.exists(`${stage.cell}lim:wide`)).toBe(0);
    await stage.by(60_000);
    expect(usedIn(await take(stage, wide, strict))).toEqual([[1, 1, 1], [1]]);
  });
});

describe("a limit that is changed", () => {
  it.each<Kind>(["rolling", "fixed", "clock"])("is in force at the next request of a %s window", async (kind) => {
    const stage = await aStage();
    const at = (limit: number | null) => take(stage, bucket("x", window(kind, 60_000, limit)));
    for (let n = 0; n < 5; n++) expect((await at(10)).admitted).toBe(true);
    expect((await at(3)).admitted).toBe(false);
    expect((await at(6)).admitted).toBe(true);
    expect((await at(6)).admitted).toBe(false);
    expect((await at(null)).admitted).toBe(true);
    expect((await at(7)).admitted).toBe(false);
  });
});

describe("a clock that steps back", () => {
  it.each<Kind>(["rolling", "fixed", "clock"])("gives nobody a %s window twice", async (kind) => {
    const stage = await aStage(MIDNIGHT + 30_000);
    const asked = bucket("x", window(kind, 60_000, 3));
    for (let n = 0; n < 3; n++) await take(stage, asked);
    await stage.by(-45_000);
    const { admitted, retryIn } = await take(stage, asked);
    expect([admitted, retryIn]).toEqual([false, kind === "clock" ? 75_000 : 105_000]);
    await stage.by(retryIn - 1);
    expect((await take(stage, asked)).admitted).toBe(false);
    await stage.by(1);
    expect((await take(stage, asked)).admitted).toBe(true);
  });

  it("keeps in order what a rolling window counted before", async () => {
    const stage = await aStage();
    const asked = bucket("x", window("rolling", 60_000, 2));
    await take(stage, asked);
    await stage.by(-10_000);
    expect((await take(stage, asked)).admitted).toBe(true);
    // Both leave when the later one does.
    await stage.at(MIDNIGHT + 59_999);
    expect((await look(stage, asked)).admitted).toBe(false);
    await stage.by(1);
    expect(usedIn(await look(stage, asked))).toEqual([[0]]);
  });
});

describe("a window's edge", () => {
  it("is no place to dip twice into a rolling window, as it is for the others", async () => {
    const inASecond = async (kind: Kind): Promise<number> => {
      const stage = await aStage(MIDNIGHT);
      const asked = bucket("x", window(kind, 60_000, 10));
      if (kind === "fixed") await take(stage, asked);
      await stage.at(MIDNIGHT + 59_500);
      let admitted = 0;
      for (const wait of [0, 500]) {
        await stage.by(wait);
        for (let n = 0; n < 12; n++) if ((await take(stage, asked)).admitted) admitted++;
      }
      return admitted;
    };
    expect([await inASecond("rolling"), await inASecond("fixed"), await inASecond("clock")]).toEqual([10, 19, 20]);
  });
});

describe("what a limit keeps in Redis", () => {
  it("is gone by itself a window and a minute after the last request", async () => {
    const stage = await aStage();
    await take(stage, bucket("x", window("rolling", 60_000, 5), window("fixed", 3_600_000, 5)));
    const left = await stage.redis.pttl(`${stage.cell}lim:x`);
    expect(left).toBeGreaterThan(3_600_000);
    expect(left).toBeLessThanOrEqual(3_660_000);
  });

  it("outlives its window by as long as the cell's time stands still", async () => {
    const stage = await aStage();
    const ahead = Date.now() + 3_600_000;
    // As after a failover from a machine whose clock was an hour ahead.
    await stage.redis.set(`${stage.cell}clock`, ahead);
    await stage.redis.del(stage.keys.testClock);
    await take(stage, bucket("x", window("rolling", 60_000, 5)));
    expect(await stage.redis.pttl(`${stage.cell}lim:x`)).toBeGreaterThan(3_600_000);
  });
});

describe("a caller that comes near its limit", () => {
  const reached = ({ buckets }: Admission) => buckets[0]?.[0]?.reached;

  it.each<Kind>(["rolling", "fixed", "clock"])("is told of at 80 and at 100 %% of a %s window, once", async (kind) => {
    const stage = await aStage();
    const asked = bucket("x", window(kind, 60_000, 10));
    const told = [];
    for (let n = 0; n < 14; n++) told.push(reached(await take(stage, asked)));
    expect(told).toEqual([...Array(7).fill(null), 80, null, 100, null, null, null, null]);
    await stage.by(60_000);
    for (let n = 0; n < 7; n++) await take(stage, asked);
    expect(reached(await take(stage, asked))).toBe(80);
  });

  it("is told of when the limit comes down on it", async () => {
    const stage = await aStage();
    const at = (limit: number) => take(stage, bucket("x", window("fixed", 60_000, limit)));
    for (let n = 0; n < 5; n++) await at(100);
    expect([reached(await at(5)), reached(await at(5)), reached(await at(100))]).toEqual([100, null, null]);
  });
});
