/** A caller came to 80 % or to 100 % of a limit: as webhooks will tell it. */
import type { Redis } from "ioredis";
import { idOf, newSeed } from "../domain/id.ts";
import { instant } from "../domain/time.ts";
import { formatUtc } from "../domain/timestamp.ts";
import type { Keys } from "../redis/keys.ts";
import type { LimitKind } from "../domain/limit-kind.ts";
import type { Taken } from "./limiter.ts";

export interface LimitEvent {
  /** evt_… */
  readonly id: string;
  readonly type: "api_limit.approached" | "api_limit.reached";
  readonly created_at: string;
  readonly account_id: string;
  readonly data: {
    readonly key_id: string | null;
    readonly rule: string;
    /** Per cent. */
    readonly threshold: 80 | 100;
    readonly limit: number;
    readonly used: number;
    readonly window: { readonly kind: LimitKind; readonly seconds: number };
    readonly resets_at: string;
    /** Nobody was refused for it. */
    readonly shadow: boolean;
  };
}

/** Once for each window and threshold. Of callers that have an account: nobody else could be told. */
export const limitEvents = ({ facts, rules, admission }: Taken): readonly LimitEvent[] => {
  const { at, buckets } = admission;
  const account = facts.account ?? facts.organisation ?? facts.profile ?? facts.user;
  if (!account || !buckets.some((windows) => windows.some(({ reached }) => reached !== null))) return [];
  const seed = newSeed(at);
  const events: LimitEvent[] = [];
  for (const [place, { rule, shadow, windows }] of rules.entries()) {
    for (const [index, { kind, length, limit }] of windows.entries()) {
      const state = buckets[place]?.[index];
      if (!state?.reached || limit === null) continue;
      const { used, reached, resetIn } = state;
      events.push({
        id: idOf("evt", seed, events.length),
        type: reached === 100 ? "api_limit.reached" : "api_limit.approached",
        created_at: formatUtc(at),
        account_id: account,
        data: {
          key_id: facts.key ?? null,
          rule,
          threshold: reached,
          limit,
          used,
          window: { kind, seconds: length / 1_000 },
          resets_at: formatUtc(instant(at + resetIn)),
          shadow,
        },
      });
    }
  }
  return events;
};

export interface LimitEventPage {
  readonly events: readonly LimitEvent[];
  /** Where to go on reading; as given when there is nothing new. */
  readonly after: string;
}

/** Reads the last ten thousand or so, oldest first. @param after as the last page said; "" for the beginning */
export const limitEventReader =
  (redis: Redis, keys: Keys) =>
  async (after = "", atMost = 100): Promise<LimitEventPage> => {
    const entries = await redis.xrange(keys.limitEvents, after === "" ? "-" : `(${after}`, "+", "COUNT", atMost);
    return {
      events: entries.map(([, [, event = ""]]) => JSON.parse(event) as LimitEvent),
      after: entries.at(-1)?.[0] ?? after,
    };
  };
