/** What becomes of a message whose attempt is over: decided, remembered, told to Redis, counted and logged. */
import type { Logger } from "pino";
import { afterAttempt, type RetryPolicy } from "../src/domain/action.ts";
import type { Channel } from "../src/domain/channel.ts";
import type { PassPoint } from "../src/domain/fault-point.ts";
import type { AttemptRecord } from "../src/domain/message.ts";
import type { Outcome } from "../src/domain/outcome.ts";
import { milliseconds, type Clock, type MonotonicMillis } from "../src/domain/time.ts";
import { attemptText } from "../src/gate/record.ts";
import type { ScriptRunner } from "../src/redis/script.ts";
import type { Begun, Run } from "../src/redis/scripts/begin.ts";
import { settle, type Settled, type Settlement } from "../src/redis/scripts/settle.ts";
import { together } from "../src/redis/together.ts";
import { insist } from "./insist.ts";
import type { Testimony, Witness } from "./witness.ts";

/** One call of the provider, when it is over. */
export interface Attempted {
  readonly go: Extract<Begun, { kind: "go" }>;
  readonly outcome: Outcome;
  readonly startedAt: MonotonicMillis;
  readonly testimony: Testimony;
}

/** After each settled attempt. */
export type OnAttempt = (attempt: { channel: Channel; outcome: AttemptRecord["outcome"]; tookMs: number }) => void;

export interface SettlingParts {
  readonly scripts: ScriptRunner;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly onAttempt: OnAttempt;
  readonly pass: PassPoint;
  readonly witness: Witness;
  /** As attempts name it. */
  readonly provider: string;
  readonly policy: RetryPolicy;
}

/** In one call: 19 µs each where four are of one account, 48 where each is of another. */
const AT_MOST = 40;
/**
 * An outcome may wait for others a part of the time that its attempt took, and no longer than this: nobody waits for it, for
 * the hand is free, and what is held is as good as used. Providers answer in an order of their own, so of few messages each is
 * of another account, and a call costs half for each of many.
 */
const PATIENCE = milliseconds(8);
const PART = 1 / 2;

/** @returns what settles it, and answers why it failed */
export const settlingWith = (parts: SettlingParts) => {
  const { scripts, clock, random, log, onAttempt, pass, witness, provider, policy } = parts;
  const settling = together<Settlement, Settled>((all) => insist(clock, () => settle(scripts, all)), AT_MOST);

  return async (channel: Channel, { id, release, token }: Run, attempted: Attempted): Promise<string | null> => {
    const { go, outcome, startedAt, testimony } = attempted;
    pass("worker.replied");
    const action = afterAttempt(outcome, { tries: go.tries, attempts: go.attempts, policy, random });
    const told = outcome.kind === "transient" && !outcome.called ? "not_called" : outcome.kind;
    const error = "why" in outcome ? outcome.why : undefined;
    const providerId = outcome.kind === "sent" && outcome.providerId !== "" ? outcome.providerId : undefined;
    const record = attemptText(told, provider, { providerId, error });
    // What is spread comes last: names after it make a slow object of it, which costs as much as all of this function.
    const settlement: Settlement = { id, release, token, mostTries: policy.tries, record, ...action };
    witness.outcome(testimony, settlement);
    // Of the provider: what Redis takes to hear of it, or is away for, says nothing of that one.
    const tookMs = clock.monotonic() - startedAt;
    const settled = await settling(settlement, milliseconds(Math.min(PATIENCE, PART * tookMs)));
    witness.told(testimony, settled);
    if (settled === "ok") onAttempt({ channel, outcome: told, tookMs });
    log.info(
      {
        event: "attempt",
        id,
        account: go.account,
        channel,
        outcome: told,
        action: action.action,
        settled,
        ms: Math.round(tookMs),
        why: error,
      },
      "attempt",
    );
    return error ?? null;
  };
};
