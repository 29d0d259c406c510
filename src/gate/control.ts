/**
 * The rules people set, as the gate takes them: absolute values, in force when the promise resolves, each waking what
 * it loosens. Implemented in rules.ts on the scripts; used by accounts/ and by the operator's routes.
 */
import type { Who } from "../domain/audit.ts";
import type { Channel } from "../domain/channel.ts";
import type { Scope, WindowKind } from "../domain/quota.ts";
import type { Instant, Millis } from "../domain/time.ts";

export type Limits = { readonly [kind in WindowKind]?: number | null };

export interface GateControl {
  /** Sets what is named; null lifts; absent is unchanged. */
  setLimits(scope: Scope, limits: Limits): Promise<void>;
  /** Zone and weight of an account, new or changed. Writes the zone's row before it resolves. */
  setAccount(account: string, rules: { zone: string; weight: number }): Promise<void>;
  /** The least time between two starts; null lifts it. */
  setSenderRate(account: string, channel: Channel, sender: string, interval: Millis | null): Promise<void>;
  setChannelRate(channel: Channel, interval: Millis | null): Promise<void>;
  /** account null: the whole channel. With whoever asked, it stands in the audit too, if it changes anything. */
  pause(account: string | null, channel: Channel, who?: Who): Promise<void>;
  resume(account: string | null, channel: Channel, who?: Who): Promise<void>;
  /** Marks it removed: nothing of it is released or begun from now on. Answers how many messages have not ended. */
  removeAccount(account: string): Promise<number>;
  /** Cancels up to 100 of its waiting messages; answers how many have not ended. */
  cancelSome(account: string): Promise<number>;
  /** The ends of the windows that are running for an account (what a new zone waits for). */
  runningWindows(account: string): Promise<{ hour: Instant; day: Instant; month: Instant }>;
}
