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
  /** Its name in the policy. */
  rule: string;
  /** In any span of the window's length; from the first request; or minutes, hours and days of UTC. */
  kind: "rolling" | "fixed" | "clock";
  window_seconds: number;
  /** Requests. */
  limit: number;
  used: number;
  remaining: number;
  /** Null: nothing is used. */
  resets_at: Moment | null;
}
export interface Limits {
  policy: string;
  /** `process`: Redis is away, and each process counts for itself. */
  counted_by: "redis" | "process";
  items: LimitStanding[];
}
export interface ApiUsage {
  items: {
    /** UTC: the beginning of an hour. */
    starts_at: string;
    rule: string;
    /** Null: asked without a key. */
    key_id: string | null;
    admitted: number;
    refused: number;
    /** Admitted, and would have been refused were the rule in force. */
    shadow_refused: number;
  }[];
}
