/**
 * The sweeper: what was released and never became a job (a lost reply, a process that died before addBulk, an emptied
 * queue) is released anew, under a new number and a new job. A late add of the old one is then refused by its number.
 */
import { CHANNELS, type Channel } from "../domain/channel.ts";
import type { PassPoint } from "../domain/fault-point.ts";
import { seconds } from "../domain/time.ts";
import type { Queues } from "../queue/queues.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { rerelease } from "../redis/scripts/rerelease.ts";
import { stuck } from "../redis/scripts/stuck.ts";

/** A job that is in one of these states will reach a worker by itself. */
const ALIVE: ReadonlySet<string> = new Set(["waiting", "active", "prioritized"]);

/** Far longer than addBulk takes, short enough that a hold is not kept for nothing. */
export const STUCK_AFTER = seconds(3);

/** Answers how many were released anew. */
export const sweep = async (scripts: ScriptRunner, queues: Queues, pass: PassPoint): Promise<number> => {
  const sweepChannel = async (channel: Channel): Promise<number> => {
    const suspects = await stuck(scripts, channel, STUCK_AFTER);
    if (suspects.length === 0) return 0;
    const states = await Promise.all(suspects.map(({ job }) => queues.stateOf(channel, job)));
    const lost = suspects.filter((_, at) => !ALIVE.has(states[at] ?? "unknown"));
    const jobs = lost.length === 0 ? [] : await rerelease(scripts, lost);
    if (jobs.length > 0) pass("gate.sweeping");
    await queues.add(channel, jobs);
    return jobs.length;
  };
  const counts = await Promise.all(CHANNELS.map(sweepChannel));
  return counts.reduce((sum, count) => sum + count, 0);
};
