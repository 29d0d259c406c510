/** A counter row as it is read: the same rolling as the scripts' (lib/quota.lua), without writing. */
import type { QuotaUse, WindowKind } from "../domain/quota.ts";
import { instant, type Instant } from "../domain/time.ts";
import { windowOf, type Window } from "../domain/window.ts";
import { countIn, type Fields } from "../redis/reply.ts";

export type Counter = QuotaUse & { readonly window: Window };

export const counterOf = (row: Fields, kind: WindowKind, zone: string, now: Instant): Counter => {
  const limit = row[`${kind}.limit`];
  const common = { limit: limit === undefined ? null : Number(limit), held: countIn(row, "held") };
  const startsAt = instant(countIn(row, `${kind}.start`));
  const endsAt = instant(countIn(row, `${kind}.end`));
  const late = countIn(row, `${kind}.late`);
  const used = countIn(row, `${kind}.used`);
  if (now < endsAt) return { ...common, used, shut: countIn(row, `${kind}.shut`) === 1, window: { startsAt, endsAt } };
  const window = windowOf(kind, now, zone);
  const overlaps = window.startsAt < endsAt;
  const counted = countIn(row, `${kind}.late_at`) >= window.startsAt ? late : 0;
  return { ...common, used: (overlaps ? used : 0) + counted, shut: overlaps && window.startsAt < startsAt, window };
};
