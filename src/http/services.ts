/** What the HTTP API needs of the rest. compose-services.ts hands it in; tests hand in others. */
import type { Logger } from "pino";
import type { Accounts } from "../accounts/account.ts";
import type { ApiKeys } from "../accounts/api-key.ts";
import type { Audit } from "../accounts/audit.ts";
import type { Idempotency } from "../accounts/idempotency.ts";
import type { PlanStore } from "../accounts/plan.ts";
import type { Suppressions } from "../accounts/suppression.ts";
import type { Tokens } from "../accounts/token.ts";
import type { Channel } from "../domain/channel.ts";
import type { Clock, Instant, Millis } from "../domain/time.ts";
import type { GateControl } from "../gate/control.ts";
import type { Looking } from "../gate/looking.ts";
import type { Sending } from "../gate/sending.ts";
import type { LimitEventPage } from "../ratelimit/limit-event.ts";
import type { Limiter } from "../ratelimit/limiter.ts";
import type { ApiUse } from "../ratelimit/usage-report.ts";

/** Whether a channel can send, and as whom when a message does not say. */
export interface ChannelSetup {
  readonly configured: boolean;
  /** What to set so that it is: `SMTP_URL`, `TWILIO_ACCOUNT_SID`, … */
  readonly variable: string;
  /** E.164; null when every message must say. Email's messages always do. */
  readonly defaultFrom: string | null;
}

export interface Readiness {
  readonly ok: boolean;
  /** Sentences; empty when ok. */
  readonly reasons: readonly string[];
  readonly redis: { readonly reachable: boolean; readonly version: string | null };
  readonly persistence: {
    readonly append_only: boolean;
    readonly fsync: string | null;
    readonly eviction: string | null;
  };
  /** What a 202 promises, and what this Redis gives. Null: unknown. */
  readonly durability: {
    readonly promised: "process" | "power" | null;
    readonly given: "none" | "process" | "power" | null;
    readonly how: string;
  };
  /** Bytes. A limit of null is none; null as a whole: unknown. */
  readonly memory: { readonly used: number; readonly limit: number | null; readonly shedding: boolean } | null;
  /** Redis as another server than before, or with older data: how often, and what was found missing. Null: unknown. */
  readonly failover: {
    /** Nothing is sent until the workers have said what they know. */
    readonly held: boolean;
    readonly moves: number;
    readonly lost_moves: number;
    /** RFC 3339, UTC. */
    readonly last_lost_at: string | null;
    readonly restored: number;
  } | null;
  /** Worker processes that were heard of lately. */
  readonly workers: number;
  readonly tz_release: string;
}

/** What reached the sandbox, as it keeps it (and as the API lists it). */
export interface Arrival {
  readonly channel: Channel;
  readonly to: string;
  readonly from: string;
  readonly subject?: string;
  readonly body?: string;
  /** RFC 3339, UTC. */
  readonly received_at: string;
  readonly message_id: string;
}

export interface Sandbox {
  /** Newest first. */
  list(filter: { readonly channel?: Channel; readonly limit: number }): Promise<readonly Arrival[]>;
  /** The whole page, with everything that came from outside escaped. */
  page(arrivals: readonly Arrival[], view: { readonly channel?: Channel; readonly origin: string }): string;
  /** The Content-Security-Policy that the page is to be sent with. */
  readonly pagePolicy: string;
}

/** The fields of a form; a list where one came more than once. */
export type Form = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What Twilio tells by itself of what it was given. */
export interface TwilioCallbacks {
  /** @param target path and query, as they came */
  isSigned(target: string, form: Form, signature: string): boolean;
  /** Keeps what it tells of our message. Telling it again, late, or of a message that is not ours changes nothing. */
  heard(messageId: string, form: Form): Promise<void>;
}

/** How many requests a caller may make, and the books of it. */
export interface ApiLimiting {
  readonly limiter: Limiter;
  /** @param owner the account; `nobody`: requests without a key that is known */
  usage(owner: string, range: { readonly from: Instant; readonly to: Instant }): Promise<readonly ApiUse[]>;
  /** @param after where the last page ended; "" for the beginning */
  events(after: string, atMost: number): Promise<LimitEventPage>;
  /** Writes down what was counted last. */
  close(): Promise<void>;
}

export interface Services {
  readonly accounts: Accounts;
  readonly keys: ApiKeys;
  readonly tokens: Tokens;
  readonly audit: Audit;
  readonly suppressions: Suppressions;
  readonly idempotency: Idempotency;
  readonly sending: Sending;
  readonly looking: Looking;
  readonly control: Pick<GateControl, "pause" | "resume">;
  readonly health: { ready(): Promise<Readiness> };
  readonly metrics: {
    readonly contentType: string;
    text(): Promise<string>;
    /** One answer given. `route` is the pattern, never the path: paths carry ids and addresses. */
    answered(answer: { route: string; method: string; status: number; took: Millis }): void;
  };
  /** Null when nothing is pretended. */
  readonly sandbox: Sandbox | null;
  /** Null without Twilio, or without an address that it could call. */
  readonly callbacks: { readonly twilio: TwilioCallbacks | null };
  readonly channels: { readonly [channel in Channel]: ChannelSetup };
  readonly limits: ApiLimiting;
  readonly plans: PlanStore;
  readonly adminKey: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ServerOptions {
  /** CIDRs of the proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies?: readonly string[];
  /** Bytes; 256 KB when absent. */
  readonly bodyLimit?: number;
  /** Bytes, of a bulk request; 16 MB when absent. */
  readonly bulkBodyLimit?: number;
  /** Guesses at keys a second, and at once, from one address: what is beyond costs no look-up. */
  readonly guessLimit?: { readonly perSecond: number; readonly burst: number };
}
