/** What producers do with messages. Implemented in accepting.ts, canceling.ts and batches.ts on the scripts. */
import type { Channel } from "../domain/channel.ts";
import type { IdSeed } from "../domain/id.ts";
import type { Draft, EmailContent, MessageState, TextContent } from "../domain/message.ts";
import type { HeldBy } from "../domain/quota.ts";
import type { Instant } from "../domain/time.ts";

export interface Accepted {
  readonly id: string;
  readonly channel: Channel;
  readonly status: "queued" | "throttled" | "scheduled" | "suppressed";
  readonly heldBy: HeldBy | null;
  /** Null when nobody can say (paused, suppressed, a quota of 0). */
  readonly estimatedSendAt: Instant | null;
  readonly createdAt: Instant;
  /** The account's: the one that times are told in. */
  readonly zone: string;
}

/** What a template of a bulk request holds; `{{name}}` stands for a recipient's variable. */
export type Template = Omit<EmailContent, "to"> | TextContent;

export interface BatchRequest {
  readonly channel: Channel;
  readonly template?: Template;
}

export interface BatchCounts {
  readonly id: string;
  readonly total: number;
  readonly createdAt: Instant;
  readonly counts: { readonly [state in MessageState]?: number };
}

export type CancelResult =
  | { readonly kind: "canceled" }
  | { readonly kind: "unknown" }
  | { readonly kind: "already_sending" }
  | { readonly kind: "already_final"; readonly state: MessageState };

/** What will wait besides, of one request that is yet to be accepted: how many go before one of it, or take turns with it. */
export interface Company {
  /** In its own lane. */
  readonly inLane: number;
  /** More urgent, and of these its own sender's. */
  readonly urgent: number;
  readonly urgentOfSender: number;
  /** As urgent, of other senders, and how many senders those are. */
  readonly besides: number;
  readonly lanes: number;
}

export interface Accepting {
  /**
   * Makes the drafts the account's messages, in order; the n-th gets the n-th id of the seed. Repeating a call with
   * the same seed changes nothing.
   * @throws backlog_full, unavailable
   */
  accept(account: string, drafts: readonly Draft[], seed: IdSeed): Promise<readonly Accepted[]>;
  /** The same in one batch (whose id is made from the seed too), in pieces of what one call of the script may take. */
  acceptBatch(
    account: string,
    batch: BatchRequest,
    drafts: readonly Draft[],
    seed: IdSeed,
  ): Promise<{ batchId: string; messages: readonly Accepted[] }>;
  /**
   * When would drafts of one request go if they were accepted now? For `on_late: "reject"`. Each lane is looked at once.
   * @returns asks for one, among those of the request that came before it. Null: nobody can say
   */
  estimating(account: string): (draft: Draft, company: Company) => Promise<Instant | null>;
  /** Sends a failed, undelivered or uncertain message again as a new one. @throws not_replayable; null for an unknown id */
  replay(account: string, id: string, seed: IdSeed): Promise<Accepted | null>;
}

export interface Canceling {
  cancel(account: string, id: string): Promise<CancelResult>;
  /** Cancels what has not left; null for an unknown batch. */
  cancelBatch(account: string, id: string): Promise<{ canceled: number; left: number } | null>;
}

export interface Sending extends Accepting, Canceling {
  batch(account: string, id: string): Promise<BatchCounts | null>;
}
