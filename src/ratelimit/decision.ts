/** What the limiter says of one request: whether it may go on, and how all windows that apply to it stand. */
import type { LimitKind } from "../domain/limit-kind.ts";
import type { Instant, Millis } from "../domain/time.ts";

/** One window of one rule, for this caller, this request counted in if it was admitted. */
export interface Standing {
  /** The rule's name in its policy: `email-send`. */
  readonly rule: string;
  readonly kind: LimitKind;
  readonly length: Millis;
  /** Requests. */
  readonly limit: number;
  readonly remaining: number;
  /** Until something is given back: a fixed or clock window ends, the oldest request leaves a rolling one. */
  readonly resetIn: Millis;
}

export interface Decision {
  readonly admitted: boolean;
  /** By Redis's clock. */
  readonly at: Instant;
  /** Windows of rules that refuse. Empty: nothing applies to this request. */
  readonly standings: readonly Standing[];
  /** Those of them without room; empty when it is admitted. */
  readonly violated: readonly Standing[];
  /** Asked again after so long, and by nobody else meanwhile, it is admitted. 0 when it is admitted. */
  readonly retryIn: Millis;
}

/** Where several windows apply, the one with least left, by share of its limit: what a header with room for one names. */
export const tightest = (standings: readonly Standing[]): Standing | null =>
  standings.reduce<Standing | null>((least, each) => {
    if (least === null) return each;
    const difference = each.remaining / each.limit - least.remaining / least.limit;
    return difference < 0 || (difference === 0 && each.resetIn > least.resetIn) ? each : least;
  }, null);
