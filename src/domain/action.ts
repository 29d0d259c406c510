/** What becomes of a message after an attempt: the decision, without anything that acts. */
import { backoff, notBefore } from "./backoff.ts";
import type { Outcome } from "./outcome.ts";
import { milliseconds, type Millis } from "./time.ts";

export interface RetryPolicy {
  readonly base: Millis;
  readonly cap: Millis;
  /** Attempts that cost a try, at most. */
  readonly tries: number;
}

export interface Action {
  readonly action: "sent" | "failed" | "later" | "uncertain";
  readonly delay: Millis;
  /** What the attempt cost. */
  readonly tries: 0 | 1;
  readonly close: { readonly about: "sender" | "channel"; readonly for: Millis } | null;
  readonly providerId?: string;
  readonly reason?: string;
  readonly suppress?: string;
  /** Of an uncertain one: it may go again whatever its account says of those. */
  readonly again?: true;
}

const AT_ONCE = milliseconds(0);

/**
 * @param tries that were spent before this attempt
 * @param attempts before this one, those that cost no try included: what never reached a provider backs off too
 * @param random uniform in [0, 1)
 */
export const afterAttempt = (
  outcome: Outcome,
  { tries, attempts, policy, random }: { tries: number; attempts: number; policy: RetryPolicy; random: () => number },
): Action => {
  switch (outcome.kind) {
    case "sent":
      return {
        action: "sent",
        delay: AT_ONCE,
        tries: 1,
        close: outcome.easeFor ? { about: "channel", for: notBefore(AT_ONCE, outcome.easeFor) } : null,
        // A mail server that does not name what it took: none, which is told as null, and not a name without letters.
        ...(outcome.providerId === "" ? {} : { providerId: outcome.providerId }),
      };
    case "permanent":
      return {
        action: "failed",
        delay: AT_ONCE,
        tries: 1,
        close: null,
        reason: outcome.why,
        ...(outcome.suppress ? { suppress: outcome.why } : {}),
      };
    case "throttled": {
      const wait = notBefore(AT_ONCE, outcome.retryIn);
      return { action: "later", delay: wait, tries: 0, close: { about: outcome.about, for: wait } };
    }
    case "uncertain":
      return {
        action: "uncertain",
        delay: notBefore(backoff(policy, attempts, random), outcome.retryIn),
        tries: 1,
        close: null,
        reason: outcome.why,
        ...(outcome.again ? { again: true } : {}),
      };
    case "transient": {
      const delay = notBefore(backoff(policy, attempts, random), outcome.retryIn ?? AT_ONCE);
      if (!outcome.called) return { action: "later", delay, tries: 0, close: null };
      if (tries + 1 >= policy.tries)
        return {
          action: "failed",
          delay: AT_ONCE,
          tries: 1,
          close: null,
          reason: `${tries + 1} tries: ${outcome.why}`,
        };
      return { action: "later", delay, tries: 1, close: null };
    }
  }
};
