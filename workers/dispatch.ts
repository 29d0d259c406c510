/**
 * What a job does: begin → attempt → settle, for each message that it carries. The provider is called between a begin
 * that answered "go" and a settle, and nowhere else.
 */
import { randomBytes } from "node:crypto";
import type { RetryPolicy } from "../src/domain/action.ts";
import type { Channel } from "../src/domain/channel.ts";
import { milliseconds, type Millis } from "../src/domain/time.ts";
import type { Contents } from "../src/gate/contents.ts";
import type { Provider } from "../src/providers/provider.ts";
import type { ScriptRunner } from "../src/redis/script.ts";
import type { Release, Run } from "../src/redis/scripts/begin.ts";
import { unrelease } from "../src/redis/scripts/unrelease.ts";
import { together } from "../src/redis/together.ts";
import { beginningWith } from "./beginning.ts";
import { callingWith } from "./calling.ts";
import { insist } from "./insist.ts";
import { handsOf } from "./hands.ts";
import { settlingWith, type Attempted, type SettlingParts } from "./settling.ts";
import { sleep } from "./sleep.ts";

export interface DispatchPolicy {
  /** Attempts in flight. */
  readonly concurrency: number;
  readonly retry: RetryPolicy;
  readonly callBudget: Millis;
  readonly attemptTimeout: Millis;
  readonly reapMargin: Millis;
}

export interface DispatchOptions extends Omit<SettlingParts, "provider" | "policy"> {
  /** begin: that a message is being sent must be kept before its provider is called. */
  readonly durable: ScriptRunner;
  readonly contents: Contents;
  /** Aborted when this process is to stop: what has not begun is given back. */
  readonly stopping: AbortSignal;
}

/** Given back in one call. */
const AT_MOST = 30;
/** Of what is a process's own in its tokens: no two, nor two lives of one, may ever say the same. They never look like numbers. */
const TOKEN_BYTES = 9;

export type Dispatch = (channel: Channel, messages: readonly Release[]) => Promise<readonly string[]>;

/** @returns the processor of one channel: resolves, once all are through, with why attempts failed (none: all went well) */
export const dispatcher = (options: DispatchOptions, provider: Provider, policy: DispatchPolicy): Dispatch => {
  const { scripts, durable, contents, clock, log, pass, witness, stopping } = options;
  const { callBudget, attemptTimeout } = policy;
  const reapIn = milliseconds(callBudget + attemptTimeout + policy.reapMargin);
  const hands = handsOf(policy.concurrency, stopping);
  const begin = beginningWith({ scripts, durable, clock, reapIn, stopping });
  const call = callingWith({ provider, contents, clock, callBudget, attemptTimeout });
  const settle = settlingWith({ ...options, provider: provider.name, policy: policy.retry });
  /** Not begun: those of one job keep their order. */
  const giveBack = together<Run, boolean>((all) => insist(clock, () => unrelease(scripts, all)), AT_MOST);
  const ours = `r${randomBytes(TOKEN_BYTES).toString("base64url")}`;
  let runs = 0;

  /** With a hand, which is free again afterwards. Null: nobody was called, and there is nothing to settle. */
  const attempt = async (channel: Channel, run: Run): Promise<Attempted | null> => {
    try {
      for (;;) {
        const { begun, t0 } = await begin(run);
        switch (begun.kind) {
          case "go": {
            const testimony = witness.began(channel, run, begun);
            if (begun.slotIn > 0 ? await sleep(begun.slotIn, stopping) : !stopping.aborted) {
              const startedAt = clock.monotonic();
              pass("worker.begun");
              return { go: begun, testimony, startedAt, outcome: await call(channel, run.id, begun, t0) };
            }
            await giveBack(run);
            witness.forget(testimony);
            return null;
          }
          case "wait":
            if (await sleep(begun.waitFor, stopping)) continue;
            await giveBack(run);
            return null;
          case "returned":
          case "ended":
          case "taken":
          case "stale":
            log.debug({ event: "not_begun", id: run.id, channel, reply: begun.kind }, "not begun");
            return null;
        }
      }
    } finally {
      hands.free();
    }
  };

  /** One message, from begin to settle; without a hand, back to its lane. Answers why it failed: so does its job, then. */
  const send = async (channel: Channel, { id, release }: Release, hasHand: boolean): Promise<string | null> => {
    // One for all that this run asks: where the reply of a begin is lost, and the next is told to wait, the one after it must
    // find the message its own. (Without: it is another's, nobody settles it, and the reaper takes it for sent.)
    const run: Run = { id, release, token: ours + (runs++).toString(36) };
    try {
      if (!hasHand) await giveBack(run);
      const attempted = hasHand ? await attempt(channel, run) : null;
      return attempted && (await settle(channel, run, attempted));
    } catch (error) {
      return error instanceof Error ? error.message : "not begun";
    } finally {
      if (hasHand) hands.close();
    }
  };

  /** Jobs find hands for all that they carry one after the other: what waits is a list, and nothing is made of it before. */
  let line: Promise<unknown> = Promise.resolve();
  const startAfter = async (others: Promise<unknown>, channel: Channel, messages: readonly Release[]) => {
    await others;
    const sending: Promise<string | null>[] = [];
    for (const message of messages) {
      let hasHand = hands.take();
      while (!hasHand && !stopping.aborted) {
        await hands.change();
        hasHand = hands.take();
      }
      sending.push(send(channel, message, hasHand));
    }
    return sending;
  };

  return async (channel, messages) => {
    pass("worker.fetched");
    const started = startAfter(line, channel, messages);
    line = started;
    const failures = await Promise.all(await started);
    pass("worker.settled");
    return failures.filter((why) => why !== null);
  };
};
