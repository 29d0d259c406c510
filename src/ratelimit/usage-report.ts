/** `GET /v1/reports/api-usage`: what each rule admitted and refused, for each key and hour of the last 30 days. */
import type { Redis } from "ioredis";
import { days, instant, type Instant } from "../domain/time.ts";
import type { Keys } from "../redis/keys.ts";
import { plainName } from "./bucket-name.ts";
import type { UseOutcome } from "./usage-counter.ts";

export interface ApiUse {
  /** Of an hour of UTC. */
  readonly startsAt: Instant;
  readonly rule: string;
  /** Null: asked without a key. */
  readonly key: string | null;
  /** Requests. */
  readonly admitted: number;
  readonly refused: number;
  /** Admitted, and would have been refused were the rule not in shadow. */
  readonly shadowRefused: number;
}

const FIELDS: Readonly<Record<UseOutcome, "admitted" | "refused" | "shadowRefused">> = {
  admitted: "admitted",
  refused: "refused",
  shadow: "shadowRefused",
};

const DAY = days(1);

/** @param owner the account; "nobody" for requests without one. Hours that begin from `from` on and before `to`. */
export const apiUsageReader =
  (redis: Redis, keys: Keys) =>
  async (owner: string, { from, to }: { from: Instant; to: Instant }): Promise<readonly ApiUse[]> => {
    const first = Math.floor(from / DAY);
    const last = Math.floor((to - 1) / DAY);
    const dayNumbers = Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);
    const hashes = await Promise.all(dayNumbers.map((day) => redis.hgetall(keys.limitUse(plainName(owner), day))));
    const rows = new Map<string, ApiUse>();
    for (const [field, requests] of hashes.flatMap((hash) => Object.entries(hash))) {
      const [hour, rule = "", key = "-", outcome = ""] = field.split("|");
      const startsAt = instant(Number(hour));
      if (startsAt < from || startsAt >= to || !(outcome in FIELDS)) continue;
      const name = `${hour}|${rule}|${key}`;
      const none = { startsAt, rule, key: key === "-" ? null : key, admitted: 0, refused: 0, shadowRefused: 0 };
      rows.set(name, { ...(rows.get(name) ?? none), [FIELDS[outcome as UseOutcome]]: Number(requests) });
    }
    return [...rows.values()].toSorted(
      (a, b) => a.startsAt - b.startsAt || a.rule.localeCompare(b.rule) || (a.key ?? "").localeCompare(b.key ?? ""),
    );
  };
