/** What an account is, and what can be done with accounts. Implemented in accounts.ts on Redis. */
import type { Who } from "../domain/audit.ts";
import type { Channel } from "../domain/channel.ts";
import type { Page } from "../domain/page.ts";
import type { Quota, Quotas } from "../domain/quota.ts";
import type { Instant, Millis } from "../domain/time.ts";
import type { ApiLimit } from "../domain/api-limit-rules.ts";

/** What becomes of a message whose outcome nobody knows: kept as `uncertain`, or sent again as another charged try. */
export type OnUncertain = { readonly [channel in Channel]?: "hold" | "resend" };

export interface Account {
  readonly id: string;
  readonly name: string;
  /** An IANA name. */
  readonly timezone: string;
  /** A plan's name; null for none. */
  readonly plan: string | null;
  /** Its share of a channel relative to other accounts, 1–100. Its own, else its plan's, else 1. */
  readonly weight: number;
  /** What the account states itself. */
  readonly quotas: Quotas;
  /** What is in force: its own over its plan's. */
  readonly effectiveQuotas: Quotas;
  readonly onUncertain: OnUncertain;
  /** Its own limit on requests, for each of its keys; null: its plan's. */
  readonly apiLimit: ApiLimit | null;
  /** Its own limit on requests over all its keys together; null: its plan's. */
  readonly apiCeiling: ApiLimit | null;
  /** Channels that are paused for this account. */
  readonly paused: readonly Channel[];
  readonly createdAt: Instant;
  /** `removing` from a forced DELETE until its last message has ended. */
  readonly status: "active" | "removing";
}

export interface NewAccount {
  readonly name: string;
  readonly timezone: string;
  readonly plan?: string | null;
  readonly weight?: number | null;
  readonly quotas?: Quotas;
  readonly onUncertain?: OnUncertain;
  readonly apiLimit?: ApiLimit | null;
  readonly apiCeiling?: ApiLimit | null;
}

/** Absent: unchanged. What is null goes back to none. */
export interface AccountPatch {
  readonly name?: string;
  readonly timezone?: string;
  readonly plan?: string | null;
  readonly weight?: number | null;
  readonly quotas?: Quotas;
  readonly onUncertain?: OnUncertain;
  readonly apiLimit?: ApiLimit | null;
  readonly apiCeiling?: ApiLimit | null;
}

/** When a changed zone takes hold: as each running window ends. By window kind, the end of the running one. */
export interface ZoneChange {
  readonly hour: Instant;
  readonly day: Instant;
  readonly month: Instant;
}

/** A sender's own quota and rate. `rate` is the least time between two starts; null is unlimited. */
export interface SenderRule {
  readonly channel: Channel;
  readonly sender: string;
  readonly quota: Quota;
  readonly rate: Millis | null;
}

/**
 * Every change is in force when the promise resolves, for what has been released too, and stands in the audit under whoever
 * asked for it (absent: the seed file). What changes nothing leaves no line there.
 */
export interface Accounts {
  /** @throws invalid_request for an unknown zone, plan or quota */
  create(account: NewAccount, who?: Who): Promise<Account>;
  get(id: string): Promise<Account | null>;
  /** Oldest first. */
  list(cursor: string | null, limit: number): Promise<Page<Account>>;
  patch(
    id: string,
    patch: AccountPatch,
    who?: Who,
  ): Promise<{ account: Account; zoneChange: ZoneChange | null } | null>;
  /**
   * Takes the account away: at once when nothing waits; with `force`, stops its sending at once, cancels what waits, and
   * the account goes when the last message has ended.
   * @throws account_not_empty
   */
  remove(id: string, force: boolean, who?: Who): Promise<"removed" | "removing" | "unknown">;
  /** Replaces the account's own quota of a channel or of all: kinds that are absent go back to the plan's. */
  setQuota(id: string, channel: Channel | "all", quota: Quota, who?: Who): Promise<Account | null>;
  /** Replaces a sender's own quota and rate (absent or null: unlimited). */
  setSenderRule(id: string, rule: SenderRule, who?: Who): Promise<SenderRule | null>;
  senderRules(id: string): Promise<readonly SenderRule[]>;
  pause(id: string, channel: Channel, who?: Who): Promise<Account | null>;
  resume(id: string, channel: Channel, who?: Who): Promise<Account | null>;
}
