/** Asks whether messages may go: those asked about at the same time in one call. */
import type { Clock, Millis, MonotonicMillis } from "../src/domain/time.ts";
import type { ScriptRunner } from "../src/redis/script.ts";
import { begin, type Begun, type Run } from "../src/redis/scripts/begin.ts";
import { unrelease } from "../src/redis/scripts/unrelease.ts";
import { insist } from "./insist.ts";
import { together } from "../src/redis/together.ts";

export interface Begin {
  readonly begun: Begun;
  /** Just before the call that was answered. */
  readonly t0: MonotonicMillis;
}

export interface BeginningParts {
  readonly scripts: ScriptRunner;
  /** That a message is being sent must be kept before its provider is called. */
  readonly durable: ScriptRunner;
  readonly clock: Clock;
  readonly reapIn: Millis;
  readonly stopping: AbortSignal;
}

/** 19 µs each where four are of one account, 42 where each is of another. */
const AT_MOST = 50;

export const beginningWith = ({ scripts, durable, clock, reapIn, stopping }: BeginningParts) =>
  together<Run, Begin>(async (runs) => {
    let t0 = clock.monotonic();
    const asking = insist(
      clock,
      () => {
        t0 = clock.monotonic();
        return begin(durable, reapIn, runs);
      },
      stopping,
    );
    const replies = await asking.catch(async (error: unknown) => {
      // What it may have marked, and was not told, was not called: it goes back uncharged, and the reaper never sees it.
      await insist(clock, () => unrelease(scripts, runs));
      throw error;
    });
    return replies.map((begun) => ({ begun, t0 }));
  }, AT_MOST);
