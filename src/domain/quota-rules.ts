/** What a quota may be. HTTP, plans and the seed file of accounts are held to the same rules. */
import { CHANNELS, type Channel } from "./channel.ts";
import type { FieldError } from "./errors.ts";
import { fieldIn, readFields, unmet, type Problems } from "./expecting.ts";
import { LARGEST_QUOTA, WINDOW_KINDS, type Quota, type Quotas, type WindowKind } from "./quota.ts";

const isQuotaNumber = (value: unknown): value is number | null =>
  value === null || (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= LARGEST_QUOTA);

export const readQuota = (value: unknown, field: string, problems: Problems): Quota => {
  const quota: { [kind in WindowKind]?: number | null } = {};
  const given = readFields(value, field, WINDOW_KINDS, problems) ?? {};
  for (const kind of WINDOW_KINDS) {
    const limit = given[kind];
    if (limit === undefined) continue;
    // -0 is written "0" but is not equal to it everywhere: add 0 to make it plain.
    if (isQuotaNumber(limit)) quota[kind] = limit === null ? null : limit + 0;
    else unmet(problems, fieldIn(field, kind), `a whole number from 0 to ${LARGEST_QUOTA} or null`, limit);
  }
  return quota;
};

export const readQuotas = (value: unknown, field: string, problems: Problems): Quotas => {
  const levels = [...CHANNELS, "all"] as const;
  const quotas: { [level in Channel | "all"]?: Quota } = {};
  const given = readFields(value, field, levels, problems) ?? {};
  for (const level of levels)
    if (given[level] !== undefined) quotas[level] = readQuota(given[level], fieldIn(field, level), problems);
  return quotas;
};

/** @param field how the errors name the value: "quotas.email", or "" for the whole body */
export const parseQuota = (value: unknown, field: string): { quota: Quota } | { errors: readonly FieldError[] } => {
  const errors: Problems = [];
  const quota = readQuota(value, field, errors);
  return errors.length > 0 ? { errors } : { quota };
};

/** What is in force: what the account states itself goes before its plan, window by window. */
export const overPlan = (own: Quotas, plan: Quotas): Quotas => {
  const levels = [...CHANNELS, "all"] as const;
  return Object.fromEntries(
    levels.flatMap((level) => (own[level] || plan[level] ? [[level, { ...plan[level], ...own[level] }]] : [])),
  );
};
