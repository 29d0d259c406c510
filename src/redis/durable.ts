/**
 * Runs scripts whose effect must be kept as promised before anybody acts on their answer: accept, before the 202; begin,
 * before the provider is called. WAITAOF or WAIT follows on the same connection, because these ask for what *this* connection
 * has written: nothing is sent again by itself, or the question could arrive on a new connection that has written nothing, and
 * be answered with yes.
 */
import type { Redis } from "ioredis";
import { milliseconds, seconds, type Clock } from "../domain/time.ts";
import { closeConnection } from "./connect.ts";
import { durabilityOf, missingOf, type Durability, type Promise202, type Waiting } from "./durability.ts";
import { readFacts } from "./facts.ts";
import { scriptRunner, type Reply, type RunnerOptions, type Script, type ScriptRunner } from "./script.ts";
import type { Cell } from "./keys.ts";

/** Well within the call budget of an attempt (2 s), and longer than appendfsync everysec takes. */
const WAIT_FOR = milliseconds(1_500);
/** Calls that are sent in one go: twenty accepts hold Redis for some ten milliseconds. */
const GROUP = 20;
/** Settings of a server may change while it runs. */
const FACTS_LAST = seconds(10);
/**
 * A connection that waits does nothing else, and the disk of `appendfsync everysec` has its turn once a second. With one, what
 * came a moment later waited for two turns.
 */
const CONNECTIONS = 4;
/** Where waiting takes long, what has come meanwhile shares a wait; together with it, still within the call budget. */
const SHARED_FOR = milliseconds(250);

/** It may have been done, and may be lost again: whoever asked must not act on it, and may ask again. */
export class NotDurableError extends Error {
  override readonly name = "NotDurableError";
  constructor(why: string) {
    super(`NOTDURABLE ${why}`);
  }
}

export interface DurableRunner extends ScriptRunner {
  /**
   * Scripts one after the other, kept when all of them are: one wait, behind the last, instead of one behind each. Nobody may
   * act on what one of them answers but by asking for the next. What `act` throws is thrown, without a wait.
   */
  readonly whole: <Result>(act: (scripts: ScriptRunner) => Promise<Result>) => Promise<Result>;
}

/** Where nothing is waited for. */
export const notWaiting = (scripts: ScriptRunner): DurableRunner => ({
  run: scripts.run,
  whole: (act) => act(scripts),
});

/** What a connection does before it waits. */
interface Job {
  /** Never throws. @returns what tells of it once it is kept */
  run(scripts: ScriptRunner): Promise<() => void>;
  reject(error: unknown): void;
}

interface Call {
  readonly script: Script;
  readonly args: readonly (string | number)[];
  resolve(reply: Reply): void;
  reject(error: unknown): void;
}

interface Group extends Job {
  readonly calls: Call[];
}

const groupOf = (first: Call): Group => {
  const calls = [first];
  return {
    calls,
    run: async (scripts) => {
      const results = await Promise.allSettled(calls.map(({ script, args }) => scripts.run(script, args)));
      return () => {
        for (const [at, result] of results.entries()) {
          if (result.status === "fulfilled") calls[at]?.resolve(result.value);
          else calls[at]?.reject(result.reason);
        }
      };
    },
    reject: (error) => {
      for (const call of calls) call.reject(error);
    },
  };
};

const waitOn = async (redis: Redis, { disk, replicas }: Waiting) => {
  const counts = disk ? await redis.call("WAITAOF", 1, 0, WAIT_FOR) : [];
  return {
    disk: Array.isArray(counts) ? Number(counts[0] ?? 0) : 0,
    replicas: replicas > 0 ? await redis.wait(replicas, WAIT_FOR) : 0,
  };
};

export interface DurableOptions extends RunnerOptions {
  readonly clock: Clock;
  /** A connection of its own that sends nothing again (`durable`). */
  readonly open: () => Redis;
}

export const durableRunner = (
  cell: Cell,
  promised: Promise202,
  { clock, open, ...options }: DurableOptions,
): DurableRunner & { close(): Promise<void> } => {
  const jobs: Job[] = [];
  /** The last of the jobs, while others may come with it. */
  let gathering: Group | null = null;
  const next = (): Job | undefined => {
    const job = jobs.shift();
    if (job === gathering) gathering = null;
    return job;
  };

  const connection = () => {
    const redis = open();
    const scripts = scriptRunner(redis, cell, options);
    let busy = false;
    let breaks = 0;
    let lastWait = 0;
    let known: { readonly durability: Durability; readonly until: number } | null = null;
    redis.on("close", () => {
      breaks++;
      known = null; // it may be another server that comes back
    });

    const durability = async (): Promise<Durability> => {
      if (known && clock.monotonic() < known.until) return known.durability;
      const given = durabilityOf(promised, await readFacts(redis));
      known = { durability: given, until: clock.monotonic() + FACTS_LAST };
      return given;
    };

    /** Whoever comes while these run, and finds no other connection free, is one of them. */
    const runAll = async (taken: Job[], sharedFor: number): Promise<(() => void)[]> => {
      const until = clock.monotonic() + sharedFor;
      const told = [];
      for (const job of taken) {
        told.push(await job.run(scripts));
        const another = clock.monotonic() < until ? next() : undefined;
        if (another) taken.push(another);
      }
      return told;
    };

    const keep = async (taken: Job[]): Promise<void> => {
      const { waiting, reasons } = await durability();
      const unbroken = breaks;
      const [reason] = reasons;
      if (reason !== undefined) {
        known = null;
        throw new NotDurableError(reason);
      }
      const told = await runAll(taken, waiting ? Math.min(lastWait, SHARED_FOR) : 0);
      if (waiting) {
        const startedAt = clock.monotonic();
        const missing = missingOf(waiting, await waitOn(redis, waiting));
        lastWait = clock.monotonic() - startedAt;
        if (missing !== null) throw new NotDurableError(missing);
        if (breaks !== unbroken) throw new NotDurableError("the connection broke before it was known to be kept");
      }
      for (const tell of told) tell();
    };

    const work = async (): Promise<void> => {
      busy = true;
      for (let job = next(); job; job = next()) {
        const taken = [job];
        await keep(taken).catch((error: unknown) => {
          for (const one of taken) one.reject(error);
        });
      }
      busy = false;
    };
    return { redis, work, isBusy: () => busy };
  };

  const connections = [connection()];
  const free = () => {
    const idle = connections.find(({ isBusy }) => !isBusy());
    if (idle || connections.length === CONNECTIONS) return idle;
    const another = connection();
    connections.push(another);
    return another;
  };

  let planned = false;
  const start = (): void => {
    planned = false;
    while (jobs.length > 0) {
      const one = free();
      if (!one) return; // who is first done takes what waits
      void one.work();
    }
  };
  const add = (job: Job): void => {
    jobs.push(job);
    if (planned) return;
    planned = true;
    setImmediate(start);
  };

  return {
    run: (script, args) =>
      new Promise((resolve, reject) => {
        const call = { script, args, resolve, reject };
        if (gathering && gathering.calls.length < GROUP) gathering.calls.push(call);
        else add((gathering = groupOf(call)));
      }),
    whole: (act) =>
      new Promise((resolve, reject) => {
        gathering = null; // who comes after it goes after it
        const run: Job["run"] = async (scripts) => {
          try {
            const result = await act(scripts);
            return () => resolve(result);
          } catch (error) {
            reject(error);
            return () => {};
          }
        };
        add({ run, reject });
      }),
    close: async () => {
      await Promise.all(connections.map(({ redis }) => closeConnection(redis)));
    },
  };
};
