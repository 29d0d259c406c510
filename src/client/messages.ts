/**
 * What is sent and what is told of it, as the API has it (docs/api.md). Written here and not derived from the API's own
 * schemas, so that this library needs nothing; a test holds the two against each other.
 */
export type Channel = "email" | "sms" | "voice" | "whatsapp";
export type Priority = "high" | "normal" | "low";
/** RFC 3339 with an offset. */
export type Moment = string;

export interface When {
  priority?: Priority;
  send_at?: Moment;
  expires_at?: Moment;
  /** Seconds; instead of `expires_at`. */
  ttl?: number;
}
export interface Labels {
  /** Your own id, to list by. */
  reference?: string;
  metadata?: Record<string, unknown>;
}
export interface SendOptions extends When, Labels {
  /** `reject`: refused with `would_expire` when it cannot go before it expires. */
  on_late?: "accept" | "reject";
}

export interface EmailTemplate {
  from: string;
  subject: string;
  text?: string;
  html?: string;
  reply_to?: string;
  headers?: Record<string, string>;
}
export interface TextTemplate {
  from?: string;
  body: string;
}
export interface Recipient extends Labels {
  to: string;
  /** For the template's `{{name}}`. */
  variables?: Record<string, string>;
}

export interface Email extends EmailTemplate, SendOptions {
  to: string;
}
/** SMS and WhatsApp. */
export interface Text extends TextTemplate, SendOptions {
  to: string;
}
export interface Call extends SendOptions {
  from?: string;
  to: string;
  say: string;
  voice?: string;
  language?: string;
}

/** Either messages, or a template with recipients; what stands beside a template goes for all of them. */
export type Bulk<One, Template> = { messages: One[] } | ({ template: Template; recipients: Recipient[] } & When);

export interface FieldError {
  field: string;
  expected: string;
  got: string;
}

export type AcceptedStatus = "queued" | "throttled" | "scheduled" | "suppressed";
export interface Accepted {
  id: string;
  channel: Channel;
  status: AcceptedStatus;
  /** `email.day`, `all.month`, `sender.hour`, `rate`, `paused`, `provider`, `schedule` or `failover`. */
  held_by: string | null;
  estimated_send_at: Moment | null;
  created_at: Moment;
}
export interface BulkAccepted {
  batch_id: string;
  accepted: number;
  rejected: number;
  /** One for each message or recipient, in order. */
  results: (
    { id: string; status: AcceptedStatus } | { error: { code: string; detail: string; errors: FieldError[] } }
  )[];
}

export type MessageStatus =
  | "scheduled"
  | "queued"
  | "throttled"
  | "sending"
  | "sent"
  | "delivered"
  | "undelivered"
  | "failed"
  | "expired"
  | "canceled"
  | "suppressed"
  | "uncertain";
export interface Attempt {
  number: number;
  started_at: Moment;
  outcome: "sent" | "transient" | "throttled" | "permanent" | "uncertain" | "not_called";
  provider: string;
  provider_id?: string;
  error?: string;
}
export interface Message {
  id: string;
  account_id: string;
  channel: Channel;
  status: MessageStatus;
  priority: Priority;
  from: string;
  to: string;
  /** Null once its own retention has passed. */
  content: Record<string, unknown> | null;
  created_at: Moment;
  send_at: Moment | null;
  expires_at: Moment | null;
  ended_at: Moment | null;
  reference: string | null;
  metadata: Record<string, unknown> | null;
  batch_id: string | null;
  attempts: Attempt[];
  held_by: string | null;
  estimated_send_at: Moment | null;
  position: number | null;
  reason: string | null;
  provider_id: string | null;
}
export interface Page<Item> {
  items: Item[];
  /** Null on the last. */
  next_cursor: string | null;
}
export interface Batch {
  id: string;
  total: number;
  created_at: Moment;
  counts: { [status in MessageStatus]?: number };
}
export interface Suppression {
  channel: Channel;
  address: string;
  reason: string;
  created_at: Moment;
}
