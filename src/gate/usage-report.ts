/** `GET /v1/reports/usage`: what came of the messages of each hour or day of the account's calendar. */
import type { Redis } from "ioredis";
import { CHANNELS, type Channel } from "../domain/channel.ts";
import { days, instant, type Instant } from "../domain/time.ts";
import { windowOf } from "../domain/window.ts";
import type { Keys } from "../redis/keys.ts";
import type { UsageRow } from "./looking.ts";

type Outcome = "sent" | "failed" | "uncertain" | "throttled";
const OUTCOMES: readonly string[] = ["sent", "failed", "uncertain", "throttled"] satisfies Outcome[];

const DAY = days(1);

export interface UsageRange {
  readonly from: Instant;
  readonly to: Instant;
  readonly by: "hour" | "day";
  readonly channel?: Channel;
}

/** Hours are stored by their start (`<start>:<outcome>`), in one hash for each day of UTC. */
const parseField = (field: string): { startsAt: Instant; outcome: Outcome } | null => {
  const [start, outcome = ""] = field.split(":");
  return OUTCOMES.includes(outcome) ? { startsAt: instant(Number(start)), outcome: outcome as Outcome } : null;
};

export const usageReport =
  (redis: Redis, keys: Keys) =>
  async (account: string, { from, to, by, channel }: UsageRange): Promise<readonly UsageRow[]> => {
    const zone = (await redis.hget(keys.account(account), "zone")) ?? "UTC";
    // An hour that begins in one day of UTC and ends in the next is booked under both, each with what happened in it.
    const firstDay = Math.floor(windowOf("hour", from, zone).startsAt / DAY);
    const lastDay = Math.floor(to / DAY) + 1;
    const dayNumbers = Array.from({ length: lastDay - firstDay + 1 }, (_, at) => firstDay + at);
    const rows = new Map<string, UsageRow>();
    for (const on of channel === undefined ? CHANNELS : [channel]) {
      const hashes = await Promise.all(dayNumbers.map((day) => redis.hgetall(keys.usage(account, on, day))));
      for (const [field, amount] of hashes.flatMap((hash) => Object.entries(hash))) {
        const parsed = parseField(field);
        if (!parsed || parsed.startsAt >= to || windowOf("hour", parsed.startsAt, zone).endsAt <= from) continue;
        const startsAt = by === "hour" ? parsed.startsAt : windowOf("day", parsed.startsAt, zone).startsAt;
        const key = `${startsAt} ${on}`;
        const row = rows.get(key) ?? { startsAt, channel: on, sent: 0, failed: 0, uncertain: 0, throttled: 0 };
        rows.set(key, { ...row, [parsed.outcome]: row[parsed.outcome] + Number(amount) });
      }
    }
    return [...rows.values()].toSorted((a, b) => a.startsAt - b.startsAt || a.channel.localeCompare(b.channel));
  };
