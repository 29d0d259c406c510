import type { Channel, Class } from "./channel.ts";
import type { HeldBy } from "./quota.ts";
import type { Instant } from "./time.ts";

/** Ends are final, but for `sent` → `delivered` | `undelivered` and for the settling of `uncertain`. */
export const END_STATES = [
  "sent",
  "delivered",
  "undelivered",
  "failed",
  "expired",
  "canceled",
  "suppressed",
  "uncertain",
] as const;
export type EndState = (typeof END_STATES)[number];

/** What a reader is told. `queued` and `throttled` are derived from the lane when read. */
export const MESSAGE_STATES = ["scheduled", "queued", "throttled", "sending", ...END_STATES] as const;
export type MessageState = (typeof MESSAGE_STATES)[number];

export type EmailContent = {
  /** As it stands in the From header: may carry a display name. The bare address is the sender. */
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text?: string;
  readonly html?: string;
  readonly reply_to?: string;
  readonly headers?: Readonly<Record<string, string>>;
};
/** SMS and WhatsApp. */
export type TextContent = { readonly body: string };
export type VoiceContent = { readonly say: string; readonly voice?: string; readonly language?: string };

/** A message of a templated bulk keeps only its variables: the template is stored once, under its batch's id. */
export type TemplateUse = { readonly to: string; readonly variables: Readonly<Record<string, string>> };

export type Content = EmailContent | TextContent | VoiceContent;

/** A message that was validated and has no id yet. Times are instants; addresses are canonical. */
export interface Draft {
  readonly channel: Channel;
  /** The bare address in lower case, or E.164. */
  readonly sender: string;
  /** The bare address (domain in lower case), or E.164. */
  readonly recipient: string;
  readonly class: Class;
  readonly content: Content | TemplateUse;
  readonly sendAt?: Instant;
  readonly expiresAt?: Instant;
  readonly reference?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** One try at handing a message to a provider, as it is told afterwards. */
export interface AttemptRecord {
  readonly number: number;
  readonly startedAt: Instant;
  readonly outcome: "sent" | "transient" | "throttled" | "permanent" | "uncertain" | "not_called";
  readonly provider: string;
  readonly providerId?: string;
  readonly error?: string;
}

/** Everything that can be told of a message. */
export interface MessageView {
  readonly id: string;
  readonly account: string;
  readonly channel: Channel;
  readonly status: MessageState;
  readonly class: Class;
  readonly sender: string;
  readonly recipient: string;
  readonly createdAt: Instant;
  readonly sendAt: Instant | null;
  readonly expiresAt: Instant | null;
  readonly endedAt: Instant | null;
  readonly reference: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly batchId: string | null;
  /** Null once the body's own retention has passed. */
  readonly content: Content | TemplateUse | null;
  readonly attempts: readonly AttemptRecord[];
  readonly heldBy: HeldBy | null;
  readonly estimatedSendAt: Instant | null;
  /** At most this many messages of its lane go before it and including it: 1 is next. Null when it does not wait. */
  readonly position: number | null;
  /** Why it ended as it did. */
  readonly reason: string | null;
  readonly providerId: string | null;
}
