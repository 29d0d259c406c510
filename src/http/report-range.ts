/** From when to when a report is asked for. What is wrong with it is told of what its caller wrote: the rest was filled in. */
import { invalidField } from "../domain/errors.ts";
import { days, hours, instant, type Instant } from "../domain/time.ts";

/** Without `from`. */
const DAYS_UNASKED = 1;

export interface RangeAsked {
  readonly from?: string;
  readonly to?: string;
}

/** Where a report begins whose caller does not say. */
export const dayBefore = (to: Instant): Instant => instant(to - hours(24 * DAYS_UNASKED));

/** @param kept days for which there is something to report */
export const insistOnRange = (
  asked: RangeAsked,
  { from, to }: { readonly from: Instant; readonly to: Instant },
  now: Instant,
  kept: number,
): void => {
  if (from >= to)
    throw invalidField("from", asked.to === undefined ? "a time that is past" : "a time before `to`", asked.from);
  if (from >= now - days(kept)) return;
  if (asked.from !== undefined) throw invalidField("from", `a time at most ${kept} days back`, asked.from);
  throw invalidField("to", `a time at most ${kept - DAYS_UNASKED} days back where there is no \`from\``, asked.to);
};
