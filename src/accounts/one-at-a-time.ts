/**
 * Changes to one account go one after another, over all processes. Each is several steps (what is stated, then each rule
 * at the gate): two that mixed would leave the rules of one under the statement of the other.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { redisUnavailable } from "../domain/errors.ts";
import { milliseconds, seconds, type Clock } from "../domain/time.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { giveAccount } from "../redis/scripts/accounts-give.ts";
import { takeAccount } from "../redis/scripts/accounts-take.ts";

/** A change is eight round trips, some milliseconds. Who has not given the account back by then has died. */
const LONGEST_CHANGE = seconds(10);
/** Longer than the longest change: after that somebody is changing this account without end. */
const LONGEST_WAIT = seconds(12);
const ASK_AGAIN = milliseconds(20);

export interface Turn {
  readonly token: string;
}

/** `gone`: unknown, or being removed. `exists`: it was to be new. */
export type TurnResult<T> = { readonly kind: "done"; readonly value: T } | { readonly kind: "gone" | "exists" };

export type InTurn = <T>(id: string, isNew: boolean, change: (turn: Turn) => Promise<T>) => Promise<TurnResult<T>>;

export const inTurn =
  (scripts: ScriptRunner, clock: Clock): InTurn =>
  async (id, isNew, change) => {
    const since = clock.monotonic();
    for (;;) {
      const token = randomUUID();
      const taken = await takeAccount(scripts, id, token, { atMost: LONGEST_CHANGE, isNew });
      switch (taken) {
        case "unknown":
        case "removing":
          return { kind: "gone" };
        case "exists":
          return { kind: "exists" };
        case "taken": {
          // A change that throws keeps the account taken until its time is over: its rules may be half set, and whoever
          // comes next (the sweep, or the caller again) sets them all.
          const value = await change({ token });
          if (await giveAccount(scripts, id, token)) return { kind: "done", value };
          // We were too slow, and somebody else set newer rules before our older ones: set them once more.
          isNew = false;
          break;
        }
        case "busy":
          if (clock.monotonic() - since > LONGEST_WAIT)
            throw redisUnavailable("the account is being changed by others");
          await pause(ASK_AGAIN);
      }
    }
  };
