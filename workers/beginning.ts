/** Asks whether messages may go: those asked about at the same time in one call, under one token. */
import { randomUUID } from "node:crypto";
import type { Clock, Millis, MonotonicMillis } from "../src/domain/time.ts";
import type { ScriptRunner } from "../src/redis/script.ts";
import { begin, type Begun, type Release } from "../src/redis/scripts/begin.ts";
import { unrelease } from "../src/redis/scripts/unrelease.ts";
import { insist } from "./insist.ts";
import { together } from "./together.ts";

export interface Begin {
  readonly begun: Begun;
  /** Of this call. A message that is asked about again, by a job that runs twice, is asked about under another. */
  readonly token: string;
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

/** 20 to 40 µs each. */
const AT_MOST = 50;

const nameOf = ({ id, release }: Release): string => `${id} ${release}`;

export const beginningWith = ({ scripts, durable, clock, reapIn, stopping }: BeginningParts) =>
  together<Release, Begin>(async (asked) => {
    const token = randomUUID();
    // Two runs of one message must not share a token, or both would be told to go. Two releases of it are two questions:
    // the answer to the later one, acted on under the earlier, could never be settled, and the message would go again.
    const messages = [...new Map(asked.map((message) => [nameOf(message), message])).values()];
    let t0 = clock.monotonic();
    const asking = insist(
      clock,
      () => {
        t0 = clock.monotonic();
        return begin(durable, token, reapIn, messages);
      },
      stopping,
    );
    const replies = await asking.catch(async (error: unknown) => {
      // What it may have marked, and was not told, was not called: it goes back uncharged, and the reaper never sees it.
      await insist(clock, () => unrelease(scripts, token, messages));
      throw error;
    });
    const begun = new Map(messages.map((message, at) => [nameOf(message), replies[at]]));
    return asked.map((message) => {
      const reply = begun.get(nameOf(message)) ?? { kind: "taken" };
      begun.delete(nameOf(message));
      return { begun: reply, token, t0 };
    });
  }, AT_MOST);
