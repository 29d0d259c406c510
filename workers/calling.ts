/** One call of a provider, with what it is to send, in the time that there is for it. */
import type { Channel } from "../src/domain/channel.ts";
import type { Content } from "../src/domain/message.ts";
import type { Outcome } from "../src/domain/outcome.ts";
import { seconds, type Clock, type Millis, type MonotonicMillis } from "../src/domain/time.ts";
import type { Contents } from "../src/gate/contents.ts";
import type { Provider } from "../src/providers/provider.ts";
import type { Begun } from "../src/redis/scripts/begin.ts";
import { inTimeOf } from "./in-time.ts";

export interface CallingParts {
  readonly provider: Provider;
  readonly contents: Contents;
  readonly clock: Clock;
  /** From the call of `begin` that was answered with go. */
  readonly callBudget: Millis;
  readonly attemptTimeout: Millis;
}

type Go = Extract<Begun, { kind: "go" }>;

const NO_ANSWER: Outcome = { kind: "uncertain", why: "no answer within the time of an attempt" };
/** For an adapter to answer once its time is up; well under the reaper's margin. */
const GRACE = seconds(1);

export type Call = (channel: Channel, id: string, go: Go, t0: MonotonicMillis) => Promise<Outcome>;

/** @returns what calls it, or does not when the time for that has passed; it never fails */
export const callingWith = ({ provider, contents, clock, callBudget, attemptTimeout }: CallingParts): Call => {
  const inTime = inTimeOf(attemptTimeout, GRACE);
  return async (channel, id, go, t0) => {
    let content: Content | null;
    try {
      content = await contents.of(go);
    } catch {
      return { kind: "transient", why: "not called: the template could not be read", called: false };
    }
    if (content === null) return { kind: "permanent", why: "its body is no longer kept" };
    // begin made it `sending` until t0 + reapIn at the earliest: past the budget, the reaper could overtake the call.
    if (clock.monotonic() > t0 + callBudget)
      return { kind: "transient", why: "not called: its time had passed", called: false };
    const { account, sender, recipient, createdAt } = go;
    const message = { id, account, channel, sender, recipient, content, createdAt };
    // An adapter answers and never throws; one that does neither must not take the message or the worker with it.
    return inTime(NO_ANSWER, (over) => provider.attempt(message, over));
  };
};
