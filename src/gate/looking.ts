/** What can be seen of messages, queues and quotas. Implemented in reading.ts; every answer is bounded work. */
import type { Channel } from "../domain/channel.ts";
import type { MessageState, MessageView } from "../domain/message.ts";
import type { QuotaUse, WindowKind } from "../domain/quota.ts";
import type { Window } from "../domain/window.ts";
import type { Page } from "../domain/page.ts";
import type { Instant } from "../domain/time.ts";

export interface MessageFilter {
  readonly status?: MessageState;
  readonly channel?: Channel;
  readonly batchId?: string;
  readonly reference?: string;
}

/** The four windows of one level, each with the window that is running. */
export type LevelUse = { readonly [kind in WindowKind]: QuotaUse & { readonly window: Window } };

export interface QuotaReport {
  readonly timezone: string;
  readonly channels: { readonly [channel in Channel]: LevelUse };
  readonly all: LevelUse;
  /** Senders that have a rule of their own. */
  readonly senders: readonly { readonly channel: Channel; readonly sender: string; readonly use: LevelUse }[];
}

export interface QueueReport {
  readonly queued: number;
  readonly throttled: number;
  readonly scheduled: number;
  readonly sending: number;
  /** Creation of the oldest waiting message; null when none waits, or for sums over all accounts. */
  readonly oldestAt: Instant | null;
  /** The channel's rate; null is unlimited. */
  readonly ratePerSecond: number | null;
  /** When the last waiting message is expected to have left; null when nobody can say. */
  readonly drainsAt: Instant | null;
  readonly paused: boolean;
  /** BullMQ's own job counts; only in the sums. */
  readonly jobs?: Readonly<Record<string, number>>;
}

export type UsageRow = {
  readonly startsAt: Instant;
  readonly channel: Channel;
  readonly sent: number;
  readonly failed: number;
  readonly uncertain: number;
  readonly throttled: number;
};

export interface Looking {
  message(account: string, id: string): Promise<MessageView | null>;
  /** Newest first. */
  messages(account: string, filter: MessageFilter, cursor: string | null, limit: number): Promise<Page<MessageView>>;
  quotas(account: string): Promise<QuotaReport | null>;
  /** Of one account, or (null) the sums over all. */
  queues(account: string | null): Promise<{ readonly [channel in Channel]: QueueReport }>;
  /** Rows that are all zero are left out. At most 40 days back. */
  usage(
    account: string,
    range: { from: Instant; to: Instant; by: "hour" | "day"; channel?: Channel },
  ): Promise<readonly UsageRow[]>;
  /** Redis's own time, as the gate sees it. */
  now(): Promise<Instant>;
}
