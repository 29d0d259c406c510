/** Each fault point in turn, in the one process that can get there, with something to do in every channel. */
import { CHANNELS } from "../../src/domain/channel.ts";
import { FAULT_POINTS, type FaultPoint } from "../../src/domain/fault-point.ts";
import { until } from "../support/until.ts";
import { ACCOUNTS } from "./accounts.ts";
import type { Slot } from "./fleet.ts";
import type { Load } from "./load.ts";
import type { Stage } from "./stage.ts";
import type { RunTime } from "./time.ts";

export type Faults = readonly (readonly [point: FaultPoint, nth: number])[];

const twice = (point: FaultPoint): Faults =>
  // The sweeper passes where a death has left something released without a job: once for each such death.
  point === "gate.sweeping"
    ? [
        [point, 1],
        [point, 1],
      ]
    : [
        [point, 1],
        [point, 2],
      ];

export const isApiPoint = (point: FaultPoint): boolean => point.startsWith("accept.");

/** In an order in which each finds something to do. */
export const EVERY_POINT: Faults = FAULT_POINTS.flatMap(twice);

export interface DeathsInTurn {
  readonly stage: Stage;
  readonly time: RunTime;
  readonly load: Load;
  readonly victim: Slot;
  readonly faults: Faults;
  /** Asked at the beginning of each life of the victim: where is it to end? */
  readonly order: (next: () => string | null) => void;
}

const TRIES = 3;
/** For what was asked for to come to the point: a quiet machine needs a second, one that is busy with other things ten. */
const REACHED_WITHIN_MS = 10_000;

/** @returns the points that were not reached */
export const dieInTurn = async ({ stage, time, load, victim, faults, order }: DeathsInTurn): Promise<string[]> => {
  if (faults.length === 0) return [];
  const { deaths } = stage.fleet;
  const causes = faults.map(([point, nth]) => `${point}:${nth}`);
  const from = deaths.length + 1;
  // One that finds enough to do left behind dies before anybody has looked: each life is given the first point at which
  // none has ended yet.
  const reached = (): number => {
    let at = 0;
    for (const { cause } of deaths.slice(from)) if (cause === causes[at]) at++;
    return at;
  };
  /** Nothing of what was asked for is on its way there any more. */
  const isIdle = async (): Promise<boolean> => {
    if (!load.isAnswered()) return false;
    const { ready, released, sending } = await stage.depths();
    return ready + released + sending === 0;
  };
  order(() => causes[reached()] ?? null);
  await victim.alive();
  victim.kill();
  await until(() => deaths.length === from);
  for (let [at, tries] = [0, 0]; at < causes.length; at = reached(), tries++) {
    const cause = causes[at] ?? "";
    if (tries > TRIES * causes.length) return [`NOT REACHED: ${cause}`];
    await victim.alive();
    for (const channel of CHANNELS) load.demand(tries % ACCOUNTS.length, channel, 2);
    if (cause.startsWith("gate.sweeping")) await time.jumpBy(4_000);
    await until(async () => reached() > at || (await isIdle()), { within: REACHED_WITHIN_MS }).catch(() => {});
  }
  await victim.alive();
  return [];
};
