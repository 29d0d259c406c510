/**
 * The sweeper: what was released and will reach no worker (a lost reply, a process that died before addBulk, an emptied
 * queue) is released anew, under a new number and a new job. A late add of the old one is then refused by its number.
 * Where a channel has no worker left, there is nobody for whom to release it: it goes back into its lanes.
 */
import { CHANNELS, type Channel } from "../domain/channel.ts";
import type { PassPoint } from "../domain/fault-point.ts";
import { seconds } from "../domain/time.ts";
import type { Queues } from "../queue/queues.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { liveWorkers } from "../redis/scripts/live-workers.ts";
import { rerelease } from "../redis/scripts/rerelease.ts";
import { stuck } from "../redis/scripts/stuck.ts";
import { giveBackUnserved } from "./unserved.ts";

/** A job that is in one of these states will be fetched by a worker. */
const WAITS: ReadonlySet<string> = new Set(["waiting", "prioritized"]);

/** Far longer than addBulk takes, short enough that a hold is not kept for nothing. */
export const STUCK_AFTER = seconds(3);

/** The jobs that this process's workers hold, and the name under which they fetch. */
export interface Holding {
  readonly worker: string;
  has(job: string): boolean;
}

export interface SweeperParts {
  readonly scripts: ScriptRunner;
  readonly queues: Queues;
  readonly holding: Holding;
  readonly pass: PassPoint;
}

/** @returns a sweep, to be called at least a second apart; answers how many were released anew */
export const sweeperWith = ({ scripts, queues, holding, pass }: SweeperParts) => {
  /** Jobs that nobody seemed to hold at the last sweep: a reply that brings one may have been on its way. */
  let doubted: ReadonlySet<string> = new Set();

  /**
   * BullMQ's word that a job is active is not enough. Where the reply to a fetch was lost, nobody has heard of the job, and
   * BullMQ finds that out when its lock has run out, up to 25 s later: every fetch under way when a connection breaks. So
   * whose it is says whether it is in good hands; no harm is done where that is wrong: the old job is told `stale`.
   */
  const isHeld = async (channel: Channel, job: string, live: () => Promise<readonly string[]>): Promise<boolean> => {
    const holder = await queues.holderOf(channel, job);
    if (holder === null) return true;
    return holder === holding.worker ? holding.has(job) : (await live()).includes(holder);
  };

  return async (): Promise<number> => {
    const doubts = new Set<string>();
    let asked: Promise<readonly string[]> | null = null;
    const live = () => (asked ??= liveWorkers(scripts));

    const isLost = async (channel: Channel, job: string): Promise<boolean> => {
      const state = await queues.stateOf(channel, job);
      if (state !== "active") return state === null || !WAITS.has(state);
      if (await isHeld(channel, job, live)) return false;
      doubts.add(job);
      return doubted.has(job);
    };
    const sweepChannel = async (channel: Channel): Promise<number> => {
      const suspects = await stuck(scripts, channel, STUCK_AFTER);
      if (suspects.length === 0) return 0;
      // Who has not beaten itself, after an outage or a leap of the clock, cannot say of others that they are gone.
      if ((await live()).includes(holding.worker) && (await giveBackUnserved(scripts, channel)) > 0) return 0;
      // Of nothing: does Redis take what a sweep writes? One that is full is not asked about hundreds of jobs in vain.
      await rerelease(scripts, []);
      const lost = new Set<string>();
      const judge = async (job: string): Promise<void> => void ((await isLost(channel, job)) && lost.add(job));
      await Promise.all([...new Set(suspects.map(({ job }) => job))].map(judge));
      if (lost.size === 0) return 0;
      const jobs = await rerelease(
        scripts,
        suspects.filter(({ job }) => lost.has(job)),
      );
      if (jobs.length > 0) pass("gate.sweeping");
      await queues.add(channel, jobs);
      return jobs.length;
    };
    const counts = await Promise.all(CHANNELS.map(sweepChannel));
    doubted = doubts;
    return counts.reduce((sum, count) => sum + count, 0);
  };
};
