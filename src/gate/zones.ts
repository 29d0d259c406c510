/**
 * Keeps the zones' rows: Lua knows no calendars, so the boundaries of the windows ahead are computed here, for Redis's
 * time, and refreshed while a day of them is left.
 */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { hours, type Instant } from "../domain/time.ts";
import { isTimeZone, tzRelease } from "../domain/time-zone.ts";
import { zoneRow, zoneRowKnownUntil, zoneRowRelease } from "../domain/zone-row.ts";
import type { Keys } from "../redis/keys.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { putZoneRow } from "../redis/scripts/put-zone-row.ts";
import { snapshot } from "../redis/scripts/snapshot.ts";

const REFRESH_UNDER = hours(24);

export interface Zones {
  /** Writes the rows of these zones anew; of one that this Node does not know nothing, and says so once. */
  write(names: readonly string[]): Promise<void>;
  /** Writes the rows that are missing, older than this process's tz release, or nearly run out. Answers how many. */
  refresh(): Promise<number>;
}

export const zonesOn = (redis: Redis, scripts: ScriptRunner, keys: Keys, log: Pick<Logger, "error">): Zones => {
  const unknown = new Set<string>();
  const write = async (names: readonly string[], now: Instant): Promise<void> => {
    for (const name of names)
      if (isTimeZone(name)) await putZoneRow(scripts, name, zoneRow(name, now));
      else if (!unknown.has(name)) {
        // An account's that was made by a newer Node: a process with that one's zones has to write it, and others go on.
        unknown.add(name);
        log.error({ event: "zone_unknown", zone: name }, "This Node does not know a time zone that an account is in");
      }
  };
  const isStale = (row: string | null, now: Instant): boolean =>
    row === null || zoneRowRelease(row) < tzRelease() || zoneRowKnownUntil(row) < now + REFRESH_UNDER;
  return {
    write: async (names) => write(names, (await snapshot(scripts, [])).now),
    refresh: async () => {
      const names = await redis.smembers(keys.zones);
      if (names.length === 0) return 0;
      const rows = await redis.mget(names.map((name) => keys.zone(name)));
      const { now } = await snapshot(scripts, []);
      const stale = names.filter((_, at) => isStale(rows[at] ?? null, now));
      await write(stale, now);
      return stale.length;
    },
  };
};
