/** What the fakes share: what is kept, what was heard, and what a test may turn. */
import type { Account, SenderRule } from "../../src/accounts/account.ts";
import type { Page } from "../../src/domain/page.ts";
import type { Suppression } from "../../src/accounts/suppression.ts";
import type { Channel } from "../../src/domain/channel.ts";
import type { Draft, MessageView } from "../../src/domain/message.ts";
import { instant, type Instant } from "../../src/domain/time.ts";
import { parseTimestamp } from "../../src/domain/timestamp.ts";
import type { UsageRow } from "../../src/gate/looking.ts";
import type { BatchRequest } from "../../src/gate/sending.ts";
import type { Arrival, Readiness, Services } from "../../src/http/services.ts";

export interface FakeState {
  readonly accounts: Map<string, Account>;
  readonly rules: Map<string, SenderRule[]>;
  suppressed: (Suppression & { account: string })[];
  /** Everything the gate was given, in order. */
  readonly drafts: Draft[];
  readonly batches: BatchRequest[];
  readonly messages: Map<string, MessageView>;
  readonly arrivals: Arrival[];
  readonly answered: { route: string; method: string; status: number }[];
  readonly switches: [verb: string, account: string | null, channel: Channel][];
  readonly calls: { authenticate: number };
  readonly logged: Record<string, unknown>[];
  readonly usage: UsageRow[];
  /** What everything that stands on Redis throws from now on; null: all is well. */
  trouble: Error | null;
  /** When the gate says that a message would go. */
  estimate: Instant | null;
  /** Awaited before the gate takes anything. */
  before: (() => Promise<void>) | null;
  ready: Readiness;
  now: Instant;
  monotonic: number;
}

export type FakeWorld = FakeState & { readonly services: Services };

export const at = (text: string): Instant => parseTimestamp(text) ?? instant(Number.NaN);

export const fakeState = (): FakeState => ({
  accounts: new Map(),
  rules: new Map(),
  suppressed: [],
  drafts: [],
  batches: [],
  messages: new Map(),
  arrivals: [],
  answered: [],
  switches: [],
  calls: { authenticate: 0 },
  logged: [],
  usage: [],
  trouble: null,
  estimate: null,
  before: null,
  ready: {
    ok: true,
    reasons: [],
    redis: { reachable: true, version: "7.0.15" },
    persistence: { append_only: true, fsync: "always", eviction: "noeviction" },
    durability: { promised: "process", given: "power", how: "appendfsync always" },
    memory: { used: 1_000_000, limit: null, shedding: false },
    workers: 1,
    failover: null,
    tz_release: "2025c",
  },
  now: at("2026-03-01T04:29:00Z"),
  monotonic: 0,
});

/** What stands on Redis asks first whether there is one. */
export const onRedis = async (world: FakeState): Promise<void> => {
  if (world.trouble) throw world.trouble;
};

export const paged = <T>(all: readonly T[], cursor: string | null, limit: number): Page<T> => {
  const from = cursor === null ? 0 : Number(cursor);
  const items = all.slice(from, from + limit);
  return { items, nextCursor: from + limit < all.length ? String(from + limit) : null };
};
