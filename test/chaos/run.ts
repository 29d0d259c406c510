/**
 * A run: load over HTTP, hours that pass every few seconds, deaths at every point and at random moments; then everything
 * is let finish, and the ledgers are judged.
 */
import { ACCOUNTS } from "./accounts.ts";
import type { Acceptance, ProviderEntry } from "./entries.ts";
import { killing, livesOf, type Kill, type Pace } from "./killing.ts";
import { judge, type Verdict } from "./judge.ts";
import { readLedger } from "./ledger.ts";
import { startLoad } from "./load.ts";
import { dieInTurn, isApiPoint, type Faults } from "./points.ts";
import { setStage, type StageOptions } from "./stage.ts";
import { timeOf } from "./time.ts";
import { idleRoom } from "./under-use.ts";

export interface RunOptions extends StageOptions {
  readonly pace: Pace;
  readonly apis: number;
  readonly workers: number;
  /** Each point in turn, in a process that has work, before the random deaths. */
  readonly points: Faults;
  /** The random part goes on until this says so. */
  readonly enough: (so: {
    readonly realMs: number;
    readonly workers: number;
    readonly apis: number;
    readonly redis: number;
  }) => boolean;
  readonly say: (line: string) => void;
}

export interface RunResult extends Verdict {
  readonly kills: readonly Kill[];
}

/** Past it, something hangs that never will end. */
const DRAIN_MS = 120_000;
const notFaulty = () => ({ SLUICE_FAULTPOINT: "" });

const percentile = (list: readonly number[], share: number): number =>
  [...list].sort((a, b) => a - b)[Math.max(0, Math.ceil(list.length * share) - 1)] ?? 0;

export const chaosRun = async (options: RunOptions): Promise<RunResult> => {
  const { say, points, pace, enough } = options;
  const stage = await setStage(options);
  try {
    const { dice, fleet, depths, realNow, ledgers, files } = stage;
    const time = timeOf(stage);
    /** What the next life of anybody is like, while it is not left to the dice. */
    let ordered: (() => Record<string, string>) | null = notFaulty;
    const slotOf = (program: "api" | "worker", n: number) => {
      const life = livesOf(dice, `${program}${n}`, program);
      return stage.start(program, () => ({ ...life(), ...ordered?.() }));
    };
    const apis = Array.from({ length: options.apis }, (_, n) => slotOf("api", n));
    const api = stage.apiOf(apis);
    const load = await startLoad({ api, dice, ledger: ledgers.accepted, realNow });
    const workers = [slotOf("worker", 0)];
    const missed: string[] = [];
    for (const [victim, isApi] of [
      [apis[0], true],
      [workers[0], false],
    ] as const) {
      const faults = points.filter(([point]) => isApiPoint(point) === isApi);
      if (!victim || faults.length === 0) continue;
      const order = (next: () => string | null): void => {
        ordered = () => ({ SLUICE_FAULTPOINT: next() ?? "" });
      };
      missed.push(...(await dieInTurn({ stage, time, load, victim, faults, order })));
    }
    say(`points: ${points.length}, in ${realNow()} ms`);

    for (let n = 1; n < options.workers; n++) workers.push(slotOf("worker", n));
    ordered = null;
    await Promise.all([...apis, ...workers].map((slot) => slot.alive()));
    const startedAt = realNow();
    const randomly = killing(stage, time, [...apis, ...workers], pace);
    const rooms: string[] = [];
    let checks = 0;
    let steps = 0;
    const died = (program: string): number => fleet.deaths.filter((death) => death.program === program).length;
    const soFar = () => ({
      realMs: realNow() - startedAt,
      workers: died("worker"),
      apis: died("api"),
      redis: randomly.kills.filter(({ what }) => what === "redis").length,
    });
    for (; !enough(soFar()); steps++) {
      const isQuiet = await time.quiet(1_500);
      if (isQuiet) {
        const found = await idleRoom(api, load, time.stillQuiet);
        if (found) {
          checks++;
          rooms.push(...found);
        }
      }
      const boundary = await time.nearBoundary(200 + 1_000 * dice("before", steps));
      const asking = [...ACCOUNTS.keys()].filter((account) => dice("top up", steps, account) < 0.6).map(load.topUp);
      await time.passed(boundary + 300);
      await Promise.all(asking);
    }
    await randomly.stop();
    say(`random part: ${steps} hours' beginnings, ${JSON.stringify(soFar())}`);

    ordered = notFaulty;
    await Promise.all([...apis, ...workers].map((slot) => slot.alive()));
    await load.answered();
    const drainFrom = realNow();
    for (;;) {
      const quiet = await time.quiet(4_000);
      if ((await depths()).open === 0) break;
      if (realNow() - drainFrom > DRAIN_MS) break;
      if (quiet) await time.passed(await time.nearBoundary(0));
    }
    say(`let finish within ${realNow() - drainFrom} ms`);
    const states = await load.states();
    await Promise.all([ledgers.accepted.close(), ledgers.provider.close()]);
    const provider = readLedger<ProviderEntry>(files.provider);
    const verdict = judge({ accepted: readLedger<Acceptance>(files.accepted), provider, states, deaths: fleet.deaths });

    const gaps = (what: Kill["what"]): number[] =>
      randomly.kills
        .filter((kill) => kill.what === what && kill.busy)
        .flatMap(({ realAt }) => {
          const next = provider.find((entry) => entry.realAt > realAt);
          return next ? [next.realAt - realAt] : [];
        });
    const [afterWorker, afterRedis] = [gaps("worker"), gaps("redis")];
    return {
      kills: randomly.kills,
      violations: [...verdict.violations, ...fleet.surprises, ...api.wrong, ...missed, ...rooms],
      figures: {
        ...verdict.figures,
        redis_kills: randomly.kills.filter(({ what }) => what === "redis").length,
        requests: api.asked(),
        room_checks: checks,
        room_unused: rooms.length,
        resumed_after_worker_kill_n: afterWorker.length,
        resumed_after_worker_kill_p95_ms: percentile(afterWorker, 0.95),
        resumed_after_redis_kill_n: afterRedis.length,
        resumed_after_redis_kill_p95_ms: percentile(afterRedis, 0.95),
        real_ms: realNow(),
      },
    };
  } finally {
    await stage.close();
  }
};
