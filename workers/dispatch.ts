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
import { attemptText } from "../src/gate/record.ts";
import type { Provider } from "../src/providers/provider.ts";
import type { ScriptRunner } from "../src/redis/script.ts";
import type { Begun, Release, Run } from "../src/redis/scripts/begin.ts";
import { settle, type Settled, type Settlement } from "../src/redis/scripts/settle.ts";
import { unrelease } from "../src/redis/scripts/unrelease.ts";
import { beginningWith } from "./beginning.ts";
import { inTime } from "./in-time.ts";
import { insist } from "./insist.ts";
import { permitsOf, type Permit } from "./permits.ts";
import { sleep } from "./sleep.ts";
import { together } from "../src/redis/together.ts";
import type { Witness } from "./witness.ts";

export interface DispatchPolicy {
  /** Attempts in flight. */
  readonly concurrency: number;
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
  readonly witness: Witness;
  /** Aborted when this process is to stop: what has not begun is given back. */
  readonly stopping: AbortSignal;
}

/** For each hand. More would be in doubt when this process dies, and would gain nothing: Redis takes their settlements together. */
const OPEN = 2;

/** Settled, or given back, in one call: 30 µs each where four are of one account, 70 where each is of another. */
const AT_MOST = 30;

type Go = Extract<Begun, { kind: "go" }>;

const NOT_CALLED = "not_called";
const NO_ANSWER: Outcome = { kind: "uncertain", why: "no answer within the time of an attempt" };
/** For an adapter to answer once its time is up; well under the reaper's margin. */
const GRACE = seconds(1);

export type Dispatch = (channel: Channel, messages: readonly Release[]) => Promise<readonly string[]>;

/** @returns the processor of one channel: resolves with why its attempts failed (none: all went well) */
export const dispatcher = (
  { scripts, durable, contents, clock, random, log, onAttempt, pass, witness, stopping }: DispatchOptions,
  provider: Provider,
  policy: DispatchPolicy,
) => {
  const reapIn = milliseconds(policy.callBudget + policy.attemptTimeout + policy.reapMargin);
  const hands = permitsOf(policy.concurrency, stopping);
  /** Messages begun and not yet settled, those included whose attempt is over: a hand does not wait for Redis. */
  const open = permitsOf(OPEN * policy.concurrency, stopping);
  const beginning = beginningWith({ scripts, durable, clock, reapIn, stopping });
  const settling = together<Settlement, Settled>((all) => insist(clock, () => settle(scripts, all)), AT_MOST);
  /** Not begun: those of one job keep their order. */
  const givingBack = together<Run, boolean>((all) => insist(clock, () => unrelease(scripts, all)), AT_MOST);

  /** One call of the provider, or none when the time for it has passed. */
  const call = async (channel: Channel, { id }: Release, go: Go, t0: MonotonicMillis): Promise<Outcome> => {
    const tooLate: Outcome = { kind: "transient", why: "not called: its time had passed", called: false };
    const content = await contents.of(go).catch(() => undefined);
    if (content === undefined)
      return { kind: "transient", why: "not called: the template could not be read", called: false };
    if (content === null) return { kind: "permanent", why: "its body is no longer kept" };
    // begin made it `sending` until t0 + reapIn at the earliest: past the budget, the reaper could overtake the call.
    if (clock.monotonic() > t0 + policy.callBudget) return tooLate;
    const { account, sender, recipient, createdAt } = go;
    const message = { id, account, channel, sender, recipient, content, createdAt };
    // An adapter answers and never throws; one that does neither must not take the message or the worker with it.
    return inTime(policy.attemptTimeout, GRACE, NO_ANSWER, (over) =>
      provider.attempt(message, over).catch(() => NO_ANSWER),
    );
  };

  const attempt = async (
    channel: Channel,
    run: Run,
    go: Go,
    t0: MonotonicMillis,
    hand: Permit,
  ): Promise<string | null> => {
    const { token, ...message } = run;
    const testimony = witness.began(channel, token, message, go);
    if (!(await sleep(go.slotIn, stopping))) {
      await givingBack(run);
      testimony.forget();
      return null;
    }
    const startedAt = clock.monotonic();
    pass("worker.begun");
    const outcome = await call(channel, message, go, t0);
    hand.give();
    pass("worker.replied");
    const action = afterAttempt(outcome, { tries: go.tries, attempts: go.attempts, policy: policy.retry, random });
    const told = outcome.kind === "transient" && !outcome.called ? NOT_CALLED : outcome.kind;
    const why = "why" in outcome ? outcome.why : null;
    const record = attemptText({
      outcome: told,
      provider: provider.name,
      ...(outcome.kind === "sent" && outcome.providerId ? { providerId: outcome.providerId } : {}),
      ...(why === null ? {} : { error: why }),
    });
    const settlement = { ...message, token, ...action, mostTries: policy.retry.tries, record };
    testimony.outcome(settlement);
    const settled = await settling(settlement);
    testimony.told(settled);
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

  /** One message, from begin to settle, as soon as a hand is free. Answers why its attempt failed. */
  const send = async (channel: Channel, message: Release): Promise<string | null> => {
    // One for all that this run asks: where the reply of a begin is lost, and the next is told to wait, the one after it must
    // find the message its own. (Without: it is another's, nobody settles it, and the reaper takes it for sent.)
    const run: Run = { ...message, token: randomUUID() };
    const place = await open.take();
    const hand = place && (await hands.take());
    try {
      if (!hand) {
        await givingBack(run);
        return null;
      }
      for (;;) {
        const { begun, t0 } = await beginning(run);
        switch (begun.kind) {
          case "go":
            return await attempt(channel, run, begun, t0, hand);
          case "wait":
            if (await sleep(begun.waitFor, stopping)) continue;
            await givingBack(run);
            return null;
          case "returned":
          case "ended":
          case "taken":
          case "stale":
            log.debug({ event: "not_begun", id: message.id, channel, reply: begun.kind }, "not begun");
            return null;
        }
      }
    } finally {
      hand?.give();
      place?.give();
    }
  };

  const dispatch: Dispatch = async (channel, messages) => {
    pass("worker.fetched");
    const sent = await Promise.allSettled(messages.map((message) => send(channel, message)));
    pass("worker.settled");
    // The job of one that could not even begin fails as well, once the others of its parcel are through.
    return sent.flatMap((one) => {
      if (one.status === "rejected") return [one.reason instanceof Error ? one.reason.message : "not begun"];
      return one.value === null ? [] : [one.value];
    });
  };
  return dispatch;
};
