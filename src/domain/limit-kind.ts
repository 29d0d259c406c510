/**
 * How a limit on API requests counts. `rolling`: never more than the limit in any span of the window's length. `fixed`: begins
 * with the first request. `clock`: aligned to the minutes, hours and days of UTC.
 */
export const LIMIT_KINDS = ["rolling", "fixed", "clock"] as const;
export type LimitKind = (typeof LIMIT_KINDS)[number];
