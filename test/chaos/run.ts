/**
 * A run: load over HTTP, hours that pass every few seconds, deaths at every point and at random moments; then everything
 * is let finish, and the ledgers are judged.
 */
import { writeFileSync } from "node:fs";
import type { Acceptance, ProviderEntry } from "./entries.ts";
import type { Death, Program, Slot } from "./fleet.ts";
import { passingHours } from "./hours.ts";
import { judge, type Verdict } from "./judge.ts";
import { killing, livesOf, type Pace } from "./killing.ts";
import { readLedger } from "./ledger.ts";
import { startLoad, type Load } from "./load.ts";
import { overQuota } from "./over.ts";
import { dieInTurn, isApiPoint, type Faults } from "./points.ts";
import { resuming } from "./report.ts";
import { surfacing } from "./surfacing.ts";
import { setStage, type Stage, type StageOptions } from "./stage.ts";
import { timeOf, type RunTime } from "./time.ts";
import { troubleOnTheWire } from "./wire.ts";

export interface SoFar {
  readonly realMs: number;
  readonly workers: number;
  readonly apis: number;
  readonly redis: number;
}

export interface RunOptions extends StageOptions {
  readonly pace: Pace;
  /** Mean ms between two spells of faults on the way to Redis. */
  readonly wire: number;
  /** Whether it is measured how long nobody knows what became of a message: 50 s. */
  readonly measuresDoubt: boolean;
  readonly apis: number;
  readonly workers: number;
  /** Each point in turn, in a process that has work, before the random deaths. */
  readonly points: Faults;
  /** The random part goes on until this says so. */
  readonly enough: (so: SoFar) => boolean;
  /** Then nobody dies any more, and hours pass until so many windows have been used up: on a slow machine few are before. */
  readonly leastFull: number;
  readonly say: (line: string) => void;
}

/** Past it, something hangs that never will end: the judge says what. */
const FINISH_MS = 120_000;
const QUIET_MS = 4_000;

type Order = (() => string | null) | null;

/** Slots whose lives are left to the dice, but while they are ordered where to end. */
const troopsOf = (stage: Stage, options: RunOptions) => {
  let order: Order = () => null;
  const slot = (program: Program, n: number): Slot => {
    const life = livesOf(stage.dice, `${program}${n}`, program);
    return stage.start(program, () => ({ ...life(), ...(order && { SLUICE_FAULTPOINT: order() ?? "" }) }));
  };
  const apis = Array.from({ length: options.apis }, (_, n) => slot("api", n));
  const workers = [slot("worker", 0)];
  const all = (): Slot[] => [...apis, ...workers];
  return {
    apis,
    workers,
    all,
    order: (next: Order): void => {
      order = next;
    },
    /** The other workers, too. */
    complete: (): void => {
      while (workers.length < options.workers) workers.push(slot("worker", workers.length));
    },
    alive: () => Promise.all(all().map((each) => each.alive())),
  };
};

/** Hours pass until every 202 has been given and everything has ended. */
const letFinish = async ({ depths, realNow }: Stage, time: RunTime, load: Load): Promise<void> => {
  for (const startedAt = realNow(); realNow() - startedAt < FINISH_MS;) {
    const quiet = await time.quiet(QUIET_MS);
    if (load.isAnswered() && (await depths()).open === 0) return;
    if (quiet) await time.passed(await time.nearBoundary(0));
  }
};

const runOn = async (stage: Stage, options: RunOptions): Promise<Verdict> => {
  const { fleet, realNow, ledgers, files, dice } = stage;
  const { say } = options;
  const time = timeOf(stage);
  const troops = troopsOf(stage, options);
  const { order } = troops;
  const api = stage.apiOf(troops.apis);
  const load = await startLoad({ api, dice, ledger: ledgers.accepted, realNow });

  const missed: string[] = [];
  for (const [victim, isApi] of [[troops.apis[0], true] as const, [troops.workers[0], false] as const]) {
    const faults = options.points.filter(([point]) => isApiPoint(point) === isApi);
    if (victim) missed.push(...(await dieInTurn({ stage, time, load, victim, faults, order })));
  }
  say(`${options.points.length} points to die at: ${realNow()} ms`);

  troops.complete();
  order(null);
  await troops.alive();
  const startedAt = realNow();
  const hours = passingHours(stage, time, api, load);
  const died = (what: Death["program"]): number => fleet.deaths.filter(({ program }) => program === what).length;
  const soFar = (): SoFar => ({
    realMs: realNow() - startedAt,
    workers: died("worker"),
    apis: died("api"),
    redis: died("redis"),
  });
  const windowsFull = (): number => overQuota(ledgers.provider.entries, hours.changes).full;
  const isEnough = (): boolean => options.enough(soFar());
  const randomly = killing(stage, time, troops.all(), options.pace, isEnough);
  const wire = troubleOnTheWire(stage, time, options.wire, isEnough);
  while (!isEnough()) await hours.next();
  await Promise.all([randomly.stop(), wire.stop()]);
  say(`random deaths: ${realNow() - startedAt} ms, ${windowsFull()} windows used up`);

  order(() => null);
  await troops.alive();
  while (windowsFull() < options.leastFull) await hours.next();
  const doubt = options.measuresDoubt ? await surfacing(stage, time, load, troops.workers) : {};
  const finishingAt = realNow();
  await letFinish(stage, time, load);
  say(`let finish: ${realNow() - finishingAt} ms`);

  const states = await load.states();
  writeFileSync(files.states, JSON.stringify(Object.fromEntries(states)));
  writeFileSync(files.kills, JSON.stringify(randomly.kills));
  await Promise.all([ledgers.accepted.close(), ledgers.provider.close()]);
  const provider = readLedger<ProviderEntry>(files.provider);
  const accepted = readLedger<Acceptance>(files.accepted);
  const verdict = judge({
    accepted,
    provider,
    states,
    deaths: fleet.deaths,
    changes: hours.changes,
    unanswered: load.unanswered,
  });
  return {
    violations: [...verdict.violations, ...fleet.surprises, ...api.wrong, ...missed, ...hours.idle],
    figures: {
      ...verdict.figures,
      ...api.figures(),
      ...hours.figures(),
      ...wire.figures(),
      ...doubt,
      ...resuming(randomly.kills, provider),
      real_ms: realNow(),
    },
  };
};

export const chaosRun = async (options: RunOptions): Promise<Verdict> => {
  const stage = await setStage(options);
  try {
    return await runOn(stage, options);
  } finally {
    await stage.close();
  }
};
