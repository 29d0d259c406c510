/**
 * Runs scripts whose effect must be kept as promised before anybody acts on their answer: accept, before the 202; begin,
 * before the provider is called. Each group of calls is followed by WAITAOF or WAIT on the same connection, because these
 * ask for what *this* connection has written: nothing is sent again by itself, or the question could arrive on a new
 * connection that has written nothing, and be answered with yes.
 */
import type { Redis } from "ioredis";
import { milliseconds, seconds, type Clock, type MonotonicMillis } from "../domain/time.ts";
import { durabilityOf, missingOf, type Durability, type Promise202, type Waiting } from "./durability.ts";
import { readFacts } from "./facts.ts";
import { programOf, type Reply, type RunnerOptions, type Script, type ScriptRunner } from "./script.ts";
import type { Cell } from "./keys.ts";

/** Well within the call budget of an attempt (2 s), and longer than appendfsync everysec takes. */
const WAIT_FOR = milliseconds(1_500);
/** Calls that share one wait: twenty accepts hold Redis for some ten milliseconds. */
const GROUP = 20;
/** Settings of a server may change while it runs. */
const FACTS_LAST = seconds(10);

/** It may have been done, and may be lost again: whoever asked must not act on it, and may ask again. */
export class NotDurableError extends Error {
  override readonly name = "NotDurableError";
  constructor(why: string) {
    super(`NOTDURABLE ${why}`);
  }
}

interface Call {
  readonly script: Script;
  readonly args: readonly (string | number)[];
  readonly startedAt: MonotonicMillis;
  resolve(reply: Reply): void;
  reject(error: unknown): void;
}

type Result = readonly [error: Error | null, reply: unknown];

const countedBy = (waiting: Waiting, [first, second]: readonly (Result | undefined)[]) => {
  const disk = waiting.disk ? first : undefined;
  const replicas = waiting.disk ? second : first;
  for (const result of [disk, replicas]) if (result?.[0]) throw result[0];
  const counts = Array.isArray(disk?.[1]) ? disk[1].map(Number) : [];
  return { disk: counts[0] ?? 0, replicas: Number(replicas?.[1] ?? 0) };
};

/** @param redis a connection of its own that sends nothing again (`durable`); the caller closes it */
export const durableRunner = (
  redis: Redis,
  cell: Cell,
  promised: Promise202,
  { clock, ...options }: RunnerOptions & { readonly clock: Clock },
): ScriptRunner => {
  const waiting: Call[] = [];
  let running = false;
  let known: { readonly durability: Durability; readonly at: MonotonicMillis } | null = null;
  redis.on("close", () => {
    known = null; // it may be another server that comes back
  });

  const durability = async (): Promise<Durability> => {
    if (known && clock.monotonic() - known.at < FACTS_LAST) return known.durability;
    known = { durability: durabilityOf(promised, await readFacts(redis)), at: clock.monotonic() };
    return known.durability;
  };

  /** Sends the calls and what asks whether they are kept; answers with a result for each call. */
  const send = async (calls: readonly Call[], wait: Waiting | null, whole: boolean) => {
    const pipeline = redis.pipeline();
    for (const { script, args } of calls) {
      const { text, sha } = programOf(script, options);
      if (whole) pipeline.eval(text, 1, cell, ...args);
      else pipeline.evalsha(sha, 1, cell, ...args);
    }
    if (wait?.disk) pipeline.call("WAITAOF", 1, 0, WAIT_FOR);
    if (wait && wait.replicas > 0) pipeline.wait(wait.replicas, WAIT_FOR);
    const results: readonly Result[] = (await pipeline.exec()) ?? [];
    return { results, missing: wait && missingOf(wait, countedBy(wait, results.slice(calls.length))) };
  };

  const isUnknown = (result: Result | undefined): boolean => result?.[0]?.message.startsWith("NOSCRIPT") ?? false;

  const runGroup = async (calls: readonly Call[]): Promise<void> => {
    const { waiting: wait, reasons } = await durability();
    const [reason] = reasons;
    if (reason !== undefined) {
      known = null;
      throw new NotDurableError(reason);
    }
    let { results, missing } = await send(calls, wait, false);
    const unknown = calls.filter((_, at) => isUnknown(results[at]));
    if (unknown.length > 0) {
      const again = await send(unknown, wait, true);
      missing = again.missing; // it asks for all that was written before
      results = results.map((result, at) => {
        const call = calls[at];
        return call && isUnknown(result) ? (again.results[unknown.indexOf(call)] ?? result) : result;
      });
    }
    if (missing !== null) throw new NotDurableError(missing);
    for (const [at, call] of calls.entries()) {
      const [error, reply] = results[at] ?? [new NotDurableError("no answer"), null];
      options.observe?.(call.script.name, clock.monotonic() - call.startedAt);
      if (error) call.reject(error);
      else call.resolve(reply as Reply);
    }
  };

  const runAll = async (): Promise<void> => {
    running = true;
    while (waiting.length > 0) {
      const calls = waiting.splice(0, GROUP);
      await runGroup(calls).catch((error: unknown) => {
        for (const call of calls) call.reject(error);
      });
    }
    running = false;
  };

  return {
    run: (script, args) =>
      new Promise((resolve, reject) => {
        waiting.push({ script, args, startedAt: clock.monotonic(), resolve, reject });
        if (!running) void runAll();
      }),
  };
};
