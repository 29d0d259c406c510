/** Quotas: how many messages may be dispatched per window, at three levels. */
import type { Channel } from "./channel.ts";

/** Shortest first. */
export const WINDOW_KINDS = ["minute", "hour", "day", "month"] as const;
export type WindowKind = (typeof WINDOW_KINDS)[number];

/** Messages per window; null is unlimited, absent is "not stated here" (the plan's value applies). 0 stops sending. */
export type Quota = { readonly [kind in WindowKind]?: number | null };

/** The account's quotas by channel, and over all channels under `all`. */
export type Quotas = { readonly [channel in Channel | "all"]?: Quota };

/** The largest quota that means anything: a million a second for a month. Beyond it, `null` is what was meant. */
export const LARGEST_QUOTA = 2_592_000_000_000;

/** The level a quota belongs to. The most restrictive of a message's three levels wins. */
export type Scope =
  | { readonly level: "sender"; readonly account: string; readonly channel: Channel; readonly sender: string }
  | { readonly level: "channel"; readonly account: string; readonly channel: Channel }
  | { readonly level: "account"; readonly account: string };

/** What keeps a message waiting, as the API names it: `email.day`, `all.month`, `sender.hour`, … */
export type HeldBy =
  `${Channel | "all" | "sender"}.${WindowKind}` | "rate" | "paused" | "provider" | "schedule" | "failover";

/** How one quota stands in the window that is running. */
export interface QuotaUse {
  readonly limit: number | null;
  /** Charged in this window. */
  readonly used: number;
  /** Released and not yet settled: they count against every window until they are. */
  readonly held: number;
  /**
   * Nothing goes before the window ends: a changed time zone made it begin before the one that was counted until now, and of the
   * time between nothing is known.
   */
  readonly shut: boolean;
}

/** How many more may go: infinitely many without a limit, and less than none where it was lowered under what has gone. */
export const leftOf = ({ limit, used, held, shut }: QuotaUse): number => {
  const left = (limit ?? Number.POSITIVE_INFINITY) - used - held;
  return shut ? Math.min(left, 0) : left;
};
