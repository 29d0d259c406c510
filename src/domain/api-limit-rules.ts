/** What a limit on HTTP requests may be, in plans and on single keys. */
import type { FieldError } from "./errors.ts";
import { fieldIn, readFields, readWhole, type Problems } from "./expecting.ts";

/** Requests per window. A window that is absent is not stated. */
export interface ApiLimit {
  readonly minute?: number;
  readonly hour?: number;
}

/** A thousand requests a millisecond: beyond it, no limit was meant. 0 would be a key that cannot be used: refused. */
export const MOST_REQUESTS = 60_000_000;

export const readApiLimit = (value: unknown, field: string, problems: Problems): ApiLimit => {
  const limit: { minute?: number; hour?: number } = {};
  const given = readFields(value, field, ["minute", "hour"], problems) ?? {};
  for (const kind of ["minute", "hour"] as const) {
    if (given[kind] === undefined) continue;
    const most = readWhole(given[kind], fieldIn(field, kind), [1, MOST_REQUESTS], problems);
    if (most !== undefined) limit[kind] = most;
  }
  return limit;
};

export const parseApiLimit = (
  value: unknown,
  field: string,
): { apiLimit: ApiLimit } | { errors: readonly FieldError[] } => {
  const errors: Problems = [];
  const apiLimit = readApiLimit(value, field, errors);
  return errors.length > 0 ? { errors } : { apiLimit };
};
