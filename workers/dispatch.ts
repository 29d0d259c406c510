/**
 * What a job does: begin → attempt → settle, for each message that it carries. The provider is called between a begin
 * that answered "go" and a settle, and nowhere else.
 */
import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { afterAttempt, type RetryPolicy } from "../src/domain/action.ts";
import type { Channel } from "../src/domain/channel.ts";
import type { PassPoint } from "../src/domain/fault-point.ts";
import type { AttemptRecord } from "../src/domain/message.ts";
import type { Outcome } from "../src/domain/outcome.ts";
import { milliseconds, seconds, type Clock, type Millis, type MonotonicMillis } from "../src/domain/time.ts";
import type { Contents } from "../src/gate/contents.ts";
import type { Provider } from "../src/providers/provider.ts";
import type { ScriptRunner } from "../src/redis/script.ts";
import { begin, type Begun, type Release } from "../src/redis/scripts/begin.ts";
import { settle } from "../src/redis/scripts/settle.ts";
import { unrelease } from "../src/redis/scripts/unrelease.ts";
import { insist } from "./insist.ts";
import { sleep } from "./sleep.ts";

export interface DispatchPolicy {
  readonly retry: RetryPolicy;
  readonly callBudget: Millis;
  readonly attemptTimeout: Millis;
  readonly reapMargin: Millis;
}

export interface DispatchOptions {
  readonly scripts: ScriptRunner;
  /** begin: that a message is being sent must be kept before its provider is called. */
  readonly durable: ScriptRunner;
  readonly contents: Contents;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** After each settled attempt. */
  readonly onAttempt: (attempt: {
    channel: Channel;
    outcome: AttemptRecord["outcome"];
    tookMs: number;
    action: string;
  }) => void;
  readonly pass: PassPoint;
  /** Aborted when this process is to stop: what has not begun is given back. */
  readonly stopping: AbortSignal;
}

type Go = Extract<Begun, { kind: "go" }>;

const NOT_CALLED = "not_called";
const NO_ANSWER: Outcome = { kind: "uncertain", why: "no answer within the time of an attempt" };
/** For an adapter to answer once its time is up; well under the reaper's margin. */
const GRACE = seconds(1);

export type Dispatch = (channel: Channel, messages: readonly Release[]) => Promise<readonly string[]>;

/** @returns the processor of one channel: resolves with why its attempts failed (none: all went well) */
export const dispatcher = (
  { scripts, durable, contents, clock, random, log, onAttempt, pass, stopping }: DispatchOptions,
  provider: Provider,
  policy: DispatchPolicy,
) => {
  const reapIn = milliseconds(policy.callBudget + policy.attemptTimeout + policy.reapMargin);

  /** One call of the provider, or none when the time for it has passed. */
  const call = async (channel: Channel, { id }: Release, go: Go, t0: MonotonicMillis): Promise<Outcome> => {
    const tooLate: Outcome = { kind: "transient", why: "not called: its time had passed", called: false };
    const content = await contents.of(go.batchId, go.body).catch(() => undefined);
    if (content === undefined)
      return { kind: "transient", why: "not called: the template could not be read", called: false };
    if (content === null) return { kind: "permanent", why: "its body is no longer kept" };
    // begin made it `sending` until t0 + reapIn at the earliest: past the budget, the reaper could overtake the call.
    if (clock.monotonic() > t0 + policy.callBudget) return tooLate;
    const { account, sender, recipient, createdAt } = go;
    const over = AbortSignal.timeout(policy.attemptTimeout);
    const late = new Promise<Outcome>((resolve) => {
      over.addEventListener("abort", () => setTimeout(resolve, GRACE, NO_ANSWER), { once: true });
    });
    const message = { id, account, channel, sender, recipient, content, createdAt };
    // An adapter answers and never throws; one that does neither must not take the message or the worker with it.
    return Promise.race([provider.attempt(message, over).catch(() => NO_ANSWER), late]);
  };

  const attempt = async (
    channel: Channel,
    token: string,
    message: Release,
    go: Go,
    t0: MonotonicMillis,
  ): Promise<string | null> => {
    if (!(await sleep(go.slotIn, stopping))) {
      await insist(clock, () => unrelease(scripts, token, [message]));
      return null;
    }
    const startedAt = clock.monotonic();
    pass("worker.begun");
    const outcome = await call(channel, message, go, t0);
    pass("worker.replied");
    const action = afterAttempt(outcome, { tries: go.tries, attempts: go.attempts, policy: policy.retry, random });
    const told = outcome.kind === "transient" && !outcome.called ? NOT_CALLED : outcome.kind;
    const why = "why" in outcome ? outcome.why : null;
    const record = JSON.stringify({
      outcome: told,
      provider: provider.name,
      provider_id: outcome.kind === "sent" && outcome.providerId ? outcome.providerId : undefined,
      error: why ?? undefined,
    });
    const [settled] = await insist(clock, () =>
      settle(scripts, [{ ...message, token, ...action, mostTries: policy.retry.tries, record }]),
    );
    const tookMs = clock.monotonic() - startedAt;
    const fields = {
      event: "attempt",
      id: message.id,
      account: go.account,
      channel,
      outcome: told,
      action: action.action,
    };
    if (settled === "ok") onAttempt({ channel, outcome: told, tookMs, action: action.action });
    log.info({ ...fields, settled, ms: Math.round(tookMs), why: why ?? undefined }, "attempt");
    return why;
  };

  const dispatch: Dispatch = async (channel, messages) => {
    pass("worker.fetched");
    // A token per run: a begin whose reply was lost must not refuse its own caller.
    const token = randomUUID();
    const failures: string[] = [];
    const run = async (group: readonly Release[]): Promise<void> => {
      if (stopping.aborted) {
        await insist(clock, () => unrelease(scripts, "", group));
        return;
      }
      let t0 = clock.monotonic();
      const asking = insist(
        clock,
        () => {
          t0 = clock.monotonic();
          return begin(durable, token, reapIn, group);
        },
        stopping,
      );
      const begun = await asking.catch(async (error: unknown) => {
        // What it may have marked, and was not told, was not called: it goes back uncharged, and the reaper never sees it.
        await insist(clock, () => unrelease(scripts, token, group));
        throw error;
      });
      const waiting: Release[] = [];
      let waitFor = 0;
      const running: Promise<void>[] = [];
      for (const [at, reply] of begun.entries()) {
        const message = group[at];
        if (!message) continue;
        switch (reply.kind) {
          case "go":
            running.push(
              attempt(channel, token, message, reply, t0).then((why) => {
                if (why !== null) failures.push(why);
              }),
            );
            break;
          case "wait":
            waiting.push(message);
            waitFor = Math.max(waitFor, reply.waitFor);
            break;
          case "returned":
          case "ended":
          case "taken":
          case "stale":
            log.debug({ event: "not_begun", id: message.id, channel, reply: reply.kind }, "not begun");
            break;
        }
      }
      if (waiting.length > 0) {
        running.push(sleep(milliseconds(waitFor), stopping).then(() => run(waiting)));
      }
      await Promise.all(running);
    };
    await run(messages);
    pass("worker.settled");
    return failures;
  };
  return dispatch;
};
