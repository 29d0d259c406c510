/** What a plan may be. The file of plans and the API are held to the same rules. */
import { LARGEST_WEIGHT } from "./account-rules.ts";
import { readApiLimit, type ApiLimit } from "./api-limit-rules.ts";
import type { FieldError } from "./errors.ts";
import { fieldIn, readFields, readWhole, type Problems } from "./expecting.ts";
import { readQuotas } from "./quota-rules.ts";
import type { Quotas } from "./quota.ts";

/** It is written to each account and read by people. */
export const PLAN_NAME = /^[a-z][a-z0-9_-]{0,39}$/;
export const PLAN_NAME_EXPECTED = "a name in lower-case letters, digits, - and _, that begins with a letter";

export interface PlanFields {
  readonly quotas: Quotas;
  readonly weight: number;
  readonly apiLimit: ApiLimit | null;
  readonly apiCeiling: ApiLimit | null;
}

export const readPlan = (value: unknown, field: string, problems: Problems): PlanFields => {
  const given = readFields(value, field, ["quotas", "weight", "api_limit", "api_ceiling"], problems) ?? {};
  const within = (name: string): string => fieldIn(field, name);
  const limit = (name: "api_limit" | "api_ceiling"): ApiLimit | null =>
    given[name] === undefined || given[name] === null ? null : readApiLimit(given[name], within(name), problems);
  return {
    quotas: given.quotas === undefined ? {} : readQuotas(given.quotas, within("quotas"), problems),
    weight:
      given.weight === undefined ? 1 : (readWhole(given.weight, within("weight"), [1, LARGEST_WEIGHT], problems) ?? 1),
    apiLimit: limit("api_limit"),
    apiCeiling: limit("api_ceiling"),
  };
};

export const parsePlan = (value: unknown, field: string): { plan: PlanFields } | { errors: readonly FieldError[] } => {
  const errors: Problems = [];
  const plan = readPlan(value, field, errors);
  return errors.length > 0 ? { errors } : { plan };
};
