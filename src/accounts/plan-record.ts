/** A plan as it stands in Redis: JSON, in one hash of them all. Only what was set over the API stands there. */
import type { Quotas } from "../domain/quota.ts";
import type { ApiLimit } from "../domain/api-limit-rules.ts";
import type { Plan, Plans } from "./plan.ts";

/** In the place of a plan of the file that was removed over the API. */
export const REMOVED = "null";

interface KeptPlan {
  readonly quotas: Quotas;
  readonly weight: number;
  readonly api_limit: ApiLimit | null;
  readonly api_ceiling: ApiLimit | null;
}

/** As callers read and write it too; the order of the fields is fixed, so that equal plans are equal texts. */
export const planJson = ({ quotas, weight, apiLimit, apiCeiling }: Plan): KeptPlan => ({
  quotas,
  weight,
  api_limit: apiLimit,
  api_ceiling: apiCeiling,
});

const parsed = (json: string): KeptPlan | null => JSON.parse(json) as KeptPlan | null;

export const apiLimitsIn = (json: string): Pick<Plan, "apiLimit" | "apiCeiling"> => {
  const kept = parsed(json);
  return { apiLimit: kept?.api_limit ?? null, apiCeiling: kept?.api_ceiling ?? null };
};

const planIn = (json: string): Plan | null => {
  const kept = parsed(json);
  return kept && { quotas: kept.quotas, weight: kept.weight, ...apiLimitsIn(json) };
};

/** What is in force: what was set goes before the file, also that a plan was removed. */
export const overFile = (set: Readonly<Record<string, string>>, file: Plans): Plans => {
  const plans = new Map(file);
  for (const [name, json] of Object.entries(set)) {
    const plan = planIn(json);
    if (plan) plans.set(name, plan);
    else plans.delete(name);
  }
  return plans;
};
