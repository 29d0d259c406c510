/**
 * The gate: nothing reaches BullMQ except through it. Any number of processes may run one: the scripts are atomic, there
 * is no leader. Each looks when it is nudged, at the next instant that matters, and every half second in any case.
 */
import type { Logger } from "pino";
import { CHANNELS, type Channel } from "../domain/channel.ts";
import type { PassPoint } from "../domain/fault-point.ts";
import { milliseconds, seconds, systemClock, type Millis } from "../domain/time.ts";
import type { Queues } from "../queue/queues.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { expire } from "../redis/scripts/expire.ts";
import { purge } from "../redis/scripts/purge.ts";
import { reap } from "../redis/scripts/reap.ts";
import { release, type ReleasedJob } from "../redis/scripts/release.ts";
import { tick, type Retention } from "../redis/scripts/tick.ts";
import { LOOK_AGAIN, type Failover } from "./failover.ts";
import { loop, type Loop } from "./loop.ts";
import type { Nudge } from "./nudge.ts";
import { reapingWith } from "./reaping.ts";
import { STUCK_AFTER, sweeperWith, type Holding } from "./sweeper.ts";
import type { Zones } from "./zones.ts";

export interface GateOptions {
  readonly scripts: ScriptRunner;
  readonly queues: Queues;
  readonly zones: Zones;
  readonly holding: Holding;
  readonly retention: Retention;
  readonly mostTries: { readonly [channel in Channel]: number };
  readonly log: Logger;
  readonly pass: PassPoint;
  readonly failover: Failover;
  readonly onRelease?: (channel: Channel, released: number) => void;
  /** Asks providers about texts that may have been sent; absent where there is none to ask. */
  readonly ask?: () => Promise<{ more: boolean }>;
  /** Takes on what was left half done (accounts being removed); called every few seconds. */
  readonly chores?: () => Promise<unknown>;
}

export interface Gate {
  nudge(what: Nudge): void;
  /** Ends the loops; resolves when no call is under way. */
  stop(): Promise<void>;
}

/** Nudges may be lost: nothing waits longer than this for being looked at. */
const TICK: Millis = milliseconds(500);
/** Messages in one job at most: with 25 instead of one, BullMQ's part of the work all but disappears; 50 gains little more. */
const PARCEL = 25;
/** At most. */
const SWEEP_EVERY = seconds(1);
const ZONES_EVERY = seconds(30);
const CHORES_EVERY = seconds(3);
/** Before a reaped message that goes again does. */
const AFTER_REAP = seconds(5);

export const startGate = (options: GateOptions): Gate => {
  const { scripts, queues, zones, log } = options;

  /** Calls of addBulk under way: nobody waits for them but `stop`. */
  const adding = new Set<Promise<void>>();
  const add = (channel: Channel, jobs: readonly ReleasedJob[]): void => {
    // What could not be added is the sweeper's: it is released, and no job is found for it.
    const added: Promise<void> = queues
      .add(channel, jobs)
      .catch((error: unknown) => log.warn({ event: "add_failed", channel, err: error }, "a job was not added"))
      .finally(() => adding.delete(added));
    adding.add(added);
  };

  /** One channel until nothing more may go. */
  const releaseChannel = async (channel: Channel): Promise<Millis | null> => {
    const written = new Set<string>();
    for (;;) {
      const answer = await release(scripts, channel, PARCEL);
      options.onRelease?.(channel, answer.released);
      if (answer.jobs.length > 0) {
        options.pass("gate.released");
        add(channel, answer.jobs);
      }
      for (const other of answer.woken) channels.get(other)?.wake();
      // A row that is stale again was refused (a newer tz release wrote it, and let it run out): not ours to mend.
      const stale = answer.staleZones.filter((name) => !written.has(name));
      if (stale.length > 0) await zones.write(stale);
      for (const name of stale) written.add(name);
      if (!answer.more && stale.length === 0) return answer.nextIn;
    }
  };

  /** Channels sleep until they are woken: ticking is one loop's work for all of them. */
  const channels = new Map<Channel, Loop>(
    CHANNELS.map((channel) => [
      channel,
      loop(`release ${channel}`, log, async () => {
        const nextIn = await releaseChannel(channel);
        return nextIn !== null && nextIn < TICK ? nextIn : null;
      }),
    ]),
  );

  // Only when something has been released for long: four questions a second are a lot where nothing happens.
  let sweptAt = -Infinity;
  const sweep = sweeperWith(options);
  const sweeping = loop("sweep", log, async () => {
    await sweep();
    sweptAt = systemClock.monotonic();
    return null;
  });
  const sweepIfStuck = (releasedFor: Millis | null): void => {
    const isStuck = releasedFor !== null && releasedFor >= STUCK_AFTER;
    if (isStuck && systemClock.monotonic() - sweptAt >= SWEEP_EVERY) sweeping.wake();
  };

  const reaping = reapingWith((atMost) => reap(scripts, options.mostTries, AFTER_REAP, atMost), systemClock);

  // Apart from the tick: a provider may take its time.
  const asking = loop("ask", log, async () => {
    while (options.ask && (await options.ask()).more);
    return null;
  });

  // Apart from it too, a bounded call at a time: a week's messages that go at once, or a campaign that expires, must not hold
  // up windows that open, messages that become due, and the reaper. And a full Redis, which refuses the reaper, must not be
  // full for good because that comes first.
  const inMasses = (name: string, step: () => Promise<{ more: boolean }>): Loop =>
    loop(name, log, async () => ((await step()).more ? milliseconds(0) : null));
  const purging = inMasses("purge", () => purge(scripts, options.retention));
  const expiring = inMasses("expire", () => expire(scripts));

  const ticking = loop("tick", log, async () => {
    const due = await tick(scripts, options.retention).catch((error: unknown) => {
      reaping.trouble();
      throw error;
    });
    if (await options.failover.isHeld(due.home)) {
      reaping.trouble(); // workers are still coming back
      return LOOK_AGAIN;
    }
    for (const channel of due.ready) channels.get(channel)?.wake();
    sweepIfStuck(due.releasedFor);
    if (due.ask) asking.wake();
    if (due.purge) purging.wake();
    if (due.expire) expiring.wake();
    if (due.reap) await reaping.run();
    return milliseconds(Math.min(due.nextIn ?? TICK, TICK));
  });

  const every = (name: string, interval: Millis, act: () => Promise<unknown>): Loop =>
    loop(name, log, async () => {
      await act();
      return interval;
    });
  const loops = [
    ticking,
    ...channels.values(),
    sweeping,
    asking,
    purging,
    expiring,
    every("zones", ZONES_EVERY, () => zones.refresh()),
    ...(options.chores ? [every("chores", CHORES_EVERY, options.chores)] : []),
  ];

  return {
    nudge: (what) => {
      if (what !== "*") channels.get(what)?.wake();
      ticking.wake();
    },
    stop: async () => {
      await Promise.all(loops.map((each) => each.stop()));
      await Promise.all(adding);
    },
  };
};
