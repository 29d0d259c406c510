/** What is told of quotas, queues, windows, usage and limits, as the API has it (docs/api.md). */
import type { Channel, Moment } from "./messages.ts";

export interface QuotaUse {
  limit: number | null;
  used: number;
  held: number;
  remaining: number | null;
  starts_at: Moment;
  resets_at: Moment;
}
export interface QuotaLevel {
  minute: QuotaUse;
  hour: QuotaUse;
  day: QuotaUse;
  month: QuotaUse;
}
export type Quotas = { [channel in Channel | "all"]: QuotaLevel } & {
  /** Senders that have a rule of their own. */
  senders: Record<string, { [channel in Channel]?: QuotaLevel }>;
};

export interface Queue {
  queued: number;
  throttled: number;
  scheduled: number;
  sending: number;
  oldest_at: Moment | null;
  rate_per_second: number | null;
  drains_at: Moment | null;
  paused: boolean;
  jobs?: Record<string, number>;
}
export type Queues = { [channel in Channel]: Queue };

export interface UtcWindow {
  starts_at: string;
  ends_at: string;
}
export interface Windows {
  hour: UtcWindow;
  day: UtcWindow;
  tz_version: string;
}

export interface UsageRow {
  starts_at: Moment;
  channel: Channel;
  sent: number;
  failed: number;
  uncertain: number;
  throttled: number;
}
export interface Usage {
  items: UsageRow[];
}

/** One window of one rule. */
export interface LimitStanding {
  [field: string]: unknown;
}
export interface Limits {
  items: LimitStanding[];
}
export interface ApiUsage {
  items: Record<string, unknown>[];
}
