/** Who dies when: by the dice, and each at its own moment. */
import { setTimeout as wait } from "node:timers/promises";
import { FAULT_POINTS } from "../../src/domain/fault-point.ts";
import { until } from "../support/until.ts";
import { oneOf, type Dice } from "./dice.ts";
import type { Slot } from "./fleet.ts";
import { isApiPoint } from "./points.ts";
import type { Stage } from "./stage.ts";
import type { RunTime } from "./time.ts";

const API_POINTS = FAULT_POINTS.filter(isApiPoint);
const WORKER_POINTS = FAULT_POINTS.filter((point) => !isApiPoint(point));
const HOUR_MS = 3_600_000;

/** A life by the dice: an hour fast or slow, and one in four ends at a point of its own. */
export const livesOf = (dice: Dice, name: string, program: "api" | "worker") => {
  let life = 0;
  return (): Record<string, string> => {
    const n = ++life;
    const skew = oneOf([-HOUR_MS, 0, HOUR_MS], dice("skew", name, n));
    const points = program === "api" ? API_POINTS : WORKER_POINTS;
    const fault = `${oneOf(points, dice("point", name, n))}:${1 + Math.floor(dice("nth", name, n) * 12)}`;
    return {
      TEST_CLOCK_SKEW_MS: String(skew),
      ...(dice("faulty", name, n) < 0.25 ? { SLUICE_FAULTPOINT: fault } : {}),
    };
  };
};

export interface Kill {
  readonly what: "api" | "worker" | "redis";
  /** Of Redis: when it was back. */
  readonly realAt: number;
  /** There was something to send, so how long nothing arrived says something. */
  readonly busy: boolean;
}

export interface Pace {
  /** Mean ms between two kills. */
  readonly worker: number;
  readonly api: number;
  readonly redis: number;
}

/** After Redis is back, workers have come back to it and settled what they held. */
const RECONNECT_MS = 5_000;

/** All of a kind die at once so often. */
const ALL_SHARE = 0.1;

export const killing = (stage: Stage, time: RunTime, slots: readonly Slot[], pace: Pace, enough: () => boolean) => {
  const { dice, depths, realNow, server, clock, redis, fleet } = stage;
  const kills: Kill[] = [];
  const stopping = new AbortController();
  let redisDown = false;

  const isBusy = async (): Promise<boolean> => {
    if (redisDown) return false;
    const { ready, released } = await depths();
    return ready + released > 0;
  };
  const killRedis = async (): Promise<void> => {
    const busy = await isBusy();
    await clock.pause();
    redisDown = true;
    time.disturbed(RECONNECT_MS);
    server.kill();
    fleet.redisDied();
    await until(async () => (await redis.ping()) === "PONG", { what: "Redis to be back", within: 30_000 });
    redisDown = false;
    // What the providers had in hand arrives while it is away: it is from here that something has to resume.
    kills.push({ what: "redis", realAt: realNow(), busy });
    time.disturbed(RECONNECT_MS);
    await clock.start();
  };
  /**
   * One of those that live, or all at once. Where another is still starting nobody is killed: on a machine that is slow to
   * start them, whoever came up would be dead before it had done anything, and nothing would be tried at all.
   */
  const killSome = async (program: "api" | "worker", n: number): Promise<void> => {
    const all = slots.filter((slot) => slot.program === program);
    if (all.some((slot) => slot.ready() === null)) return;
    kills.push({ what: program, realAt: realNow(), busy: await isBusy() });
    const victims = dice("all", program, n) < ALL_SHARE ? all : [oneOf(all, dice("victim", program, n))];
    for (const victim of victims) victim.kill();
  };

  const every = async (what: Kill["what"], mean: number): Promise<void> => {
    for (let n = 1; !stopping.signal.aborted && !enough(); n++) {
      const pause = mean * (0.3 + 1.4 * dice("pause", what, n));
      if (!(await wait(pause, true, { signal: stopping.signal }).catch(() => false))) return;
      await (what === "redis" ? killRedis() : killSome(what, n));
    }
  };
  const running = Promise.all([every("worker", pace.worker), every("api", pace.api), every("redis", pace.redis)]);
  return {
    kills: kills as readonly Kill[],
    stop: async (): Promise<void> => {
      stopping.abort();
      await running;
    },
  };
};
