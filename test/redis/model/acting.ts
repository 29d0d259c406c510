/** What processes do: the gate, the queue, the workers, the sweeper. Each may be interrupted between any two lines. */
import type { Channel } from "../../../src/domain/channel.ts";
import { milliseconds } from "../../../src/domain/time.ts";
import type { ReleasedJob } from "../../../src/redis/scripts/release.ts";
import type { SettleMore } from "../../support/gate-stage.ts";
import { Violated, type Attempt, type Job, type Outcome, type Run, type Settling, type World } from "./world.ts";

const BUDGET = 10_000;
const ACTION = {
  sent: "sent",
  failed: "failed",
  later: "later",
  throttled: "later",
  uncertain: "uncertain",
  not_called: "later",
} as const satisfies Record<Outcome, string>;

export const addJobs = (world: World, channel: Channel, jobs: readonly ReleasedJob[]): void => {
  for (const { job, messages } of jobs) {
    // BullMQ silently ignores an id that it still keeps.
    if (world.jobs.some((known) => known.job === job)) continue;
    const pairs = messages.map(([id, release]) => ({ id, release }));
    world.jobs.push({ job, channel, messages: pairs, state: "waiting" });
  }
};

/** Small bounds, so that short histories meet them. */
const SMALL = { lanes: 6, messages: 3, pops: 3, promotions: 2 };

/** One gate, until nothing more may go; `fate` says what becomes of the replies. */
export const releaseAll = async (
  world: World,
  channel: Channel,
  {
    fate = "add",
    parcel = 1,
    small = false,
  }: { fate?: "add" | "late" | "lost"; parcel?: number; small?: boolean } = {},
): Promise<number> => {
  let released = 0;
  for (let call = 0; ; call++) {
    const reply = await world.stage.release(channel, parcel, small ? SMALL : {});
    released += reply.released;
    if (fate === "add") addJobs(world, channel, reply.jobs);
    if (fate === "late") world.adds.push({ channel, jobs: reply.jobs });
    // Node writes the rows that are missing; in some worlds it is slow to.
    const writing = reply.staleZones.filter(() => !world.knows("slow zones") || world.chance() < 0.3);
    for (const zone of writing) await world.writeZone(zone);
    if (!reply.more && writing.length === 0) return released;
    if (call > 300) throw new Violated(`SPIN ${channel}: release says more for ever`);
  }
};

export const take = (world: World, job: Job): Run => {
  job.state = "active";
  const run: Run = { token: `t${++world.tokens}`, job, todo: [...job.messages], open: 0, crashed: false };
  world.runs.push(run);
  return run;
};

const finish = (world: World, run: Run): void => {
  if (run.todo.length > 0 || run.open > 0) return;
  if (!run.crashed) run.job.state = "done";
  world.runs = world.runs.filter((other) => other !== run);
};

export const beginRun = async (world: World, run: Run, lost = false): Promise<void> => {
  const { stage } = world;
  const asked = run.todo;
  if (asked.length === 0) return;
  const askedAt = world.t;
  const first = await stage.begin(asked, run.token);
  const replies = lost ? await stage.begin(asked, run.token) : first;
  run.todo = [];
  for (const [i, reply] of replies.entries()) {
    const pair = asked[i];
    const message = world.messages.find(({ id }) => id === pair?.id);
    if (!pair || !message) continue;
    if (first[i]?.kind === "go" && reply.kind !== "go") throw new Violated(`${pair.id}: go, then ${reply.kind}`);
    if (reply.kind === "wait") run.todo.push(pair);
    if (reply.kind !== "go") continue;
    const slot = Number((await stage.fields(`x:${pair.id}`))["slot"]);
    world.judge.slot(message.channel, slot, world.interval("channel", message));
    world.judge.slot(
      `${message.account} ${message.channel} ${message.sender}`,
      slot,
      world.interval("sender", message),
    );
    run.open++;
    const slotAt = askedAt + reply.slotIn;
    const { tries } = reply;
    world.attempts.push({ run, message, release: pair.release, tries, askedAt, slotAt, begunIn: world.step });
  }
  finish(world, run);
};

/** The provider is called, if it is not too late for that; answers false while its slot has not come. */
export const attempt = (
  world: World,
  which: Attempt,
  { outcome, latency, delay, arrives }: { outcome: Outcome; latency: number; delay: number; arrives: boolean },
): boolean => {
  if (which.slotAt > world.t) return false;
  world.attempts = world.attempts.filter((other) => other !== which);
  if (world.t > which.askedAt + BUDGET || outcome === "not_called")
    world.settlings.push({ attempt: which, outcome: "not_called", delay, tries: 0 });
  else world.call(which, outcome, latency, delay, arrives);
  return true;
};

export const settleOne = async (world: World, which: Settling, lost = false): Promise<void> => {
  const { attempt: of, outcome, delay, tries } = which;
  const close = { about: delay % 3 === 0 ? "channel" : "sender", for: milliseconds(delay) } as const;
  const more: SettleMore = { delay: milliseconds(delay), tries, record: "{}" };
  world.settlings = world.settlings.filter((other) => other !== which);
  const pair = [{ id: of.message.id, release: of.release }];
  for (let time = 0; time < (lost ? 2 : 1); time++)
    await world.stage.settle(pair, ACTION[outcome], outcome === "throttled" ? { ...more, close } : more, of.run.token);
  of.run.open--;
  finish(world, of.run);
};

/** The process dies: what it was doing at the provider goes on there, and nobody hears of it. */
export const crash = (world: World, run: Run, stalls: boolean): void => {
  run.crashed = true;
  run.job.state = stalls ? "waiting" : "done";
  world.runs = world.runs.filter((other) => other !== run);
  world.attempts = world.attempts.filter((other) => other.run !== run);
  world.settlings = world.settlings.filter((other) => other.attempt.run !== run);
};

/** A worker that stops gives back what it has not handed to a provider. */
export const giveBack = async (world: World, run: Run): Promise<void> => {
  const mine = world.attempts.filter((other) => other.run === run);
  await world.stage.unrelease(run.todo);
  await world.stage.unrelease(
    mine.map(({ message, release }) => ({ id: message.id, release })),
    run.token,
  );
  run.todo = [];
  run.open -= mine.length;
  world.attempts = world.attempts.filter((other) => other.run !== run);
  finish(world, run);
};

/** Asks the queue for each job, and releases anew what has none that lives. */
export const sweep = async (world: World, channel: Channel, fate: "add" | "late" | "lost" = "add"): Promise<void> => {
  const lost = (await world.stage.stuck(channel)).filter(
    ({ job }) => !world.jobs.some((known) => known.job === job && known.state !== "done"),
  );
  const jobs = await world.stage.rerelease(lost);
  if (fate === "add") addJobs(world, channel, jobs);
  if (fate === "late") world.adds.push({ channel, jobs });
};

/**
 * A round of everything on a channel: released, begun, called, settled. Each run is left out of it with the chance `idle`: a
 * worker that hangs, for a while or for good.
 */
export const work = async (world: World, channel: Channel, outcomeOf: () => Outcome, idle = 0): Promise<number> => {
  const awake = (): boolean => idle === 0 || world.chance() >= idle;
  if (awake()) await world.stage.reap();
  if (awake()) await world.stage.expire();
  if (awake()) await sweep(world, channel);
  const released = await releaseAll(world, channel);
  await world.look();
  world.mustNotIdle(channel);
  for (const job of world.jobs) if (job.channel === channel && job.state === "waiting" && awake()) take(world, job);
  for (const run of world.runs.filter(({ job }) => job.channel === channel)) {
    if (!awake()) continue;
    await beginRun(world, run);
    const delay = 1_000 + (world.step % 7) * 997;
    for (const own of world.attempts.filter((each) => each.run === run))
      attempt(world, own, { outcome: outcomeOf(), latency: 0, delay, arrives: world.step % 2 === 0 });
  }
  await world.pass(0);
  for (const each of world.settlings)
    if (each.attempt.message.channel === channel && awake()) await settleOne(world, each);
  return released;
};
