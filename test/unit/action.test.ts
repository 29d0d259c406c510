import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { afterAttempt, type Action } from "../../src/domain/action.ts";
import type { Outcome } from "../../src/domain/outcome.ts";
import { hours, milliseconds, minutes, seconds } from "../../src/domain/time.ts";

const policy = { base: seconds(30), cap: hours(1), tries: 3 };
const decide = (outcome: Outcome, tries = 0, attempts = tries, random = () => 0.5): Action =>
  afterAttempt(outcome, { tries, attempts, policy, random });

describe("what becomes of a message after an attempt", () => {
  it.each<[string, Outcome, number, Partial<Action>]>([
    [
      "sent: it is over, and charged",
      { kind: "sent", providerId: "p" },
      0,
      { action: "sent", tries: 1, providerId: "p" },
    ],
    [
      "permanent: it failed for good",
      { kind: "permanent", why: "no" },
      0,
      { action: "failed", tries: 1, reason: "no" },
    ],
    [
      "nobody there: besides, the address is suppressed",
      { kind: "permanent", why: "no such user", suppress: true },
      0,
      { action: "failed", suppress: "no such user" },
    ],
    [
      "not now: it goes again, and a try is spent",
      { kind: "transient", why: "busy", called: true },
      0,
      { action: "later", tries: 1 },
    ],
    [
      "not now, the last time: it failed",
      { kind: "transient", why: "busy", called: true },
      2,
      { action: "failed", tries: 1, reason: "3 tries: busy" },
    ],
    [
      "never handed over: it goes again, whatever was spent, at no cost",
      { kind: "transient", why: "refused", called: false },
      9,
      { action: "later", tries: 0 },
    ],
    [
      "slow down: no try is spent, and what it is about is closed until then",
      { kind: "throttled", why: "slow", about: "channel", retryIn: seconds(7) },
      2,
      { action: "later", tries: 0, delay: seconds(7), close: { about: "channel", for: seconds(7) } },
    ],
    [
      "nobody knows, and its provider asked to wait: where it goes again, not before",
      { kind: "uncertain", why: "lost", again: true, retryIn: minutes(5) },
      0,
      { action: "uncertain", again: true, delay: minutes(5) },
    ],
    [
      "nobody knows: the rule for that is the scripts' to apply",
      { kind: "uncertain", why: "lost" },
      0,
      { action: "uncertain", tries: 1, reason: "lost" },
    ],
    [
      "nobody knows, and the provider would send it once only: it may go again",
      { kind: "uncertain", why: "lost", again: true },
      0,
      { action: "uncertain", tries: 1, again: true },
    ],
    [
      "sent, and the provider has little left: the channel is eased off",
      { kind: "sent", providerId: "x", easeFor: seconds(3) },
      0,
      { action: "sent", tries: 1, close: { about: "channel", for: seconds(3) } },
    ],
    [
      "sent, and the provider has nothing left for a day: for an hour at most",
      { kind: "sent", providerId: "x", easeFor: hours(24) },
      0,
      { action: "sent", close: { about: "channel", for: hours(1) } },
    ],
  ])("%s", (_, outcome, tries, expected) => {
    expect(decide(outcome, tries)).toMatchObject(expected);
  });

  it("never comes back before the provider's own Retry-After, which is believed for an hour at most", () => {
    const later = (retryIn: number) =>
      decide({ kind: "transient", why: "", called: true, retryIn: milliseconds(retryIn) }).delay;
    expect(later(minutes(20))).toBe(minutes(20));
    expect(later(hours(30))).toBe(hours(1));
  });

  it("backs off by all that failed before, those attempts included that never reached a provider", () => {
    const never: Outcome = { kind: "transient", why: "refused", called: false };
    const longest = (attempts: number) => decide(never, 0, attempts, () => 0.999_999).delay;
    expect(longest(4)).toBeGreaterThan(4 * longest(1));
  });

  it("waits no longer than the cap, whatever happened", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 500 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempts, chance) => {
          const { delay } = decide({ kind: "transient", why: "", called: false }, 0, attempts, () => chance);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(policy.cap);
        },
      ),
    );
  });
});
