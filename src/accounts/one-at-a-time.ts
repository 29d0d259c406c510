/**
 * Changes to one account go one after another, over all processes. Each is several steps (what is stated, then each rule
 * at the gate): two that mixed would leave the rules of one under the statement of the other.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { beingChanged } from "../domain/errors.ts";
import { milliseconds, seconds, type Clock } from "../domain/time.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { giveAccount } from "../redis/scripts/accounts-give.ts";
import { takeAccount } from "../redis/scripts/accounts-take.ts";

/** A change is ten round trips, some milliseconds. Who has not given the account back by then has died. */
const LONGEST_CHANGE = seconds(10);
/** Longer than the longest change: after that, somebody is changing this account without end. */
const LONGEST_WAIT = seconds(12);
const ASK_AGAIN = milliseconds(20);

export interface Turn {
  readonly token: string;
  /** To be set before the first thing is written: from then on a failure leaves something to complete. */
  hasBegun: boolean;
}

export type TurnResult<T> =
  | { readonly kind: "done"; readonly value: T }
  /** `gone`: unknown, or being removed. `exists`: it was to be new. `busy`: somebody else's turn, and no wait was wanted. */
  | { readonly kind: "gone" | "exists" | "busy" };

export type TakeTurn = <T>(
  id: string,
  change: (turn: Turn) => Promise<T>,
  options?: { readonly isNew?: boolean; readonly waits?: boolean },
) => Promise<TurnResult<T>>;

export const oneAtATime = (scripts: ScriptRunner, clock: Clock): TakeTurn => {
  const take = async (id: string, token: string, isNew: boolean, waits: boolean) => {
    const since = clock.monotonic();
    for (;;) {
      const taken = await takeAccount(scripts, id, token, { atMost: LONGEST_CHANGE, isNew });
      if (taken !== "busy" || !waits) return taken;
      if (clock.monotonic() - since > LONGEST_WAIT) throw beingChanged("the account");
      await pause(ASK_AGAIN);
    }
  };

  const takeTurn: TakeTurn = async (id, change, { isNew = false, waits = true } = {}) => {
    const turn: Turn = { token: randomUUID(), hasBegun: false };
    const taken = await take(id, turn.token, isNew, waits);
    if (taken === "exists" || taken === "busy") return { kind: taken };
    if (taken !== "taken") return { kind: "gone" };
    try {
      const value = await change(turn);
      if (await giveAccount(scripts, id, turn.token, "whole")) return { kind: "done", value };
    } catch (error) {
      // If this fails too (Redis is away), the account is free again when our time is over.
      await giveAccount(scripts, id, turn.token, turn.hasBegun ? "half" : "whole").catch(() => false);
      throw error;
    }
    // We were too slow, and somebody else has set newer rules before our older ones: once more, from the beginning.
    return takeTurn(id, change);
  };
  return takeTurn;
};
