/**
 * A small world around the real scripts: workers, a queue that may lose jobs, providers, people. Nothing happens by
 * itself: every step is a command of the history (steps.ts), so that a history that fails can be made smaller.
 */
import type { Redis } from "ioredis";
import type { Channel } from "../../../src/domain/channel.ts";
import { WINDOW_KINDS } from "../../../src/domain/quota.ts";
import { milliseconds } from "../../../src/domain/time.ts";
import type { Cell } from "../../../src/redis/keys.ts";
import type { Release } from "../../../src/redis/scripts/begin.ts";
import type { ReleasedJob } from "../../../src/redis/scripts/release.ts";
import { gateStage, T0, type Mutation, type Stage } from "../../support/gate-stage.ts";
import { CALENDAR_ENDS, calendarOf, chanceOf, ZONES, type TzRelease } from "./calendar.ts";
import { couldGo } from "./idle.ts";
import { violations, type Message } from "./invariants.ts";
import { judgeOf } from "./judge.ts";
import { hasEnded, num, readState, stateOf, type Cast, type CellState } from "./state.ts";

const CHANNELS = ["email", "sms"] as const;
export const HANDS = 3;
const ALWAYS = /^(enqueue|work|work badly|pass .*|start|begin all|call all|settle all|write the zones)$/;

export interface Job {
  readonly job: string;
  readonly channel: Channel;
  readonly messages: readonly Release[];
  state: "waiting" | "active" | "done";
}
/** A processor's run of a job: what it has not begun, and under which token. */
export interface Run {
  readonly token: string;
  readonly job: Job;
  todo: Release[];
  open: number;
  crashed: boolean;
}
export interface Attempt {
  readonly run: Run;
  readonly message: Message;
  readonly release: number;
  readonly tries: number;
  readonly askedAt: number;
  readonly slotAt: number;
  readonly begunIn: number;
}
export type Outcome = "sent" | "failed" | "later" | "throttled" | "uncertain" | "not_called";
export interface Settling {
  readonly attempt: Attempt;
  readonly outcome: Outcome;
  readonly delay: number;
  readonly tries: 0 | 1;
}
interface Call {
  readonly settling: Settling;
  arrivesAt: number | null;
  readonly endsAt: number;
}

export class Violated extends Error {
  override readonly name = "Violated";
}

export const aWorld = async (redis: Redis, cell: Cell, seed: number, mutations: readonly Mutation[] = []) => {
  const chance = chanceOf(seed);
  const calendar = calendarOf(chance);
  const judge = judgeOf(calendar);
  const stage: Stage = await gateStage(redis, cell, { hands: HANDS, mutations });
  const cast: Cast = {
    accounts: ["a0", "a1", "a2"],
    channels: CHANNELS,
    senders: ["s0@x.org", "s1@x.org"],
    zones: ZONES,
  };
  const pick = <T>(list: readonly T[]): T => list[Math.floor(chance() * list.length)] as T;
  const upTo = (low: number, high: number): number => low + Math.floor(chance() * (high - low));

  const world = {
    stage,
    cast,
    judge,
    calendar,
    chance,
    /** ms after T0, of the world: the cell's clock may be behind for a while. */
    t: 0,
    behind: 0,
    step: 0,
    tz: "t1" as TzRelease,
    messages: [] as Message[],
    jobs: [] as Job[],
    adds: [] as { channel: Channel; jobs: readonly ReleasedJob[] }[],
    runs: [] as Run[],
    attempts: [] as Attempt[],
    calls: [] as Call[],
    settlings: [] as Settling[],
    tokens: 0,
    /** The latest instant that the cell has seen. */
    seen: 0,
    state: undefined as unknown as CellState,

    origin: T0,
    /** Half of what may happen is unknown to each world, so that some histories go deep where others go wide. */
    knows: (what: string): boolean => {
      if (ALWAYS.test(what)) return true;
      const letters = Buffer.from(what).reduce((sum, byte) => sum * 31 + byte, 7);
      return chanceOf(seed + letters)() < 0.5;
    },
    /** What time it is for the cell, and so for the judge. */
    now: (): number => Math.max(T0 + world.t - world.behind, world.seen),

    account: async (account: string, zone: string): Promise<void> => {
      await stage.account(account, { zone, weight: upTo(1, 4) });
      judge.zone(account, zone);
    },
    limit: async (scope: string, kind: (typeof WINDOW_KINDS)[number], limit: number | null): Promise<void> => {
      await stage.limit(scope, { [kind]: limit });
      judge.limit(scope, kind, world.step, limit);
    },
    writeZone: (zone: string): Promise<boolean> => stage.zoneRow(zone, calendar.row(zone, world.tz, world.now())),

    /** Time passes, and the calls that are under way arrive and end in it. */
    pass: async (ms: number): Promise<void> => {
      const until = Math.min(world.t + ms, CALENDAR_ENDS);
      for (;;) {
        const next = world.calls
          .flatMap((call) => [call.endsAt, ...(call.arrivesAt === null ? [] : [call.arrivesAt])])
          .reduce((a, b) => Math.min(a, b), Infinity);
        if (next > until) break;
        world.t = Math.max(world.t, next);
        for (const call of world.calls) {
          const { message, begunIn, run } = call.settling.attempt;
          if (call.arrivesAt !== null && call.arrivesAt <= world.t) {
            judge.arrived(message, world.now(), begunIn);
            call.arrivesAt = null;
          }
          if (call.endsAt <= world.t && !run.crashed) world.settlings.push(call.settling);
        }
        world.calls = world.calls.filter((call) => call.endsAt > world.t);
      }
      world.t = until;
      await stage.at(world.t - world.behind);
    },

    call: (attempt: Attempt, outcome: Outcome, latency: number, delay: number, arrives: boolean): void => {
      const lastTry = attempt.tries + 1 >= 3;
      const real = outcome === "later" && lastTry ? "failed" : outcome;
      const tries = outcome === "later" || outcome === "failed" || outcome === "uncertain" ? 1 : 0;
      const arrivesAt = outcome === "sent" || (outcome === "uncertain" && arrives) ? world.t + latency : null;
      world.calls.push({ settling: { attempt, outcome: real, delay, tries }, arrivesAt, endsAt: world.t + latency });
    },

    /** After every step: reads everything, and looks for what cannot be. */
    look: async (): Promise<void> => {
      world.state = await readState(
        redis,
        cell,
        cast,
        world.messages.map(({ id }) => id),
      );
      world.seen = Math.max(world.seen, world.state.clock);
      judge.look(world.state);
      const bad = violations(world.state, cast, world.messages);
      if (bad.length > 0) throw new Violated(bad.join("\n"));
      world.step++;
    },
    mustNotIdle: (channel: Channel): void => {
      const who = couldGo(world.state, cast, channel, world.now(), HANDS);
      if (who !== null) throw new Violated(`IDLE ${channel}: ${who} could go and was not released`);
    },
    unfinished: (): Message[] => world.messages.filter(({ id }) => !hasEnded(stateOf(world.state, id))),
    interval: (key: "channel" | "sender", m: Message): number =>
      key === "channel"
        ? num(world.state.rate[m.channel], "interval")
        : num(world.state.q[`S|${m.account}|${m.channel}|${m.sender}`], "interval"),
  };

  for (const zone of ZONES) await world.writeZone(zone);
  for (const account of cast.accounts) {
    await world.account(account, pick(ZONES));
    const scopes: [string, number, number][] = [[`A|${account}`, 0.7, 12]];
    for (const channel of CHANNELS) {
      scopes.push([`C|${account}|${channel}`, 0.4, 9]);
      for (const sender of cast.senders) scopes.push([`S|${account}|${channel}|${sender}`, 0.25, 6]);
    }
    for (const [scope, often, high] of scopes)
      for (const kind of WINDOW_KINDS)
        if (chance() < (kind === "hour" ? often : often / 3))
          await world.limit(scope, kind, upTo(1, high) * { minute: 1, hour: 1, day: 3, month: 6 }[kind]);
  }
  // Half of the worlds have rates: a channel's, and some senders'.
  if (chance() < 0.5)
    for (const channel of CHANNELS) {
      if (chance() < 0.6) await stage.channel(channel, { interval: milliseconds(pick([71.43, 400, 2_500])) });
      for (const account of cast.accounts)
        if (chance() < 0.3) await stage.senderRate(account, pick([300, 1_500, 4_000]), pick(cast.senders), channel);
    }
  await world.look();
  return world;
};

export type World = Awaited<ReturnType<typeof aWorld>>;
