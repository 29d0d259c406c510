/** An account as it stands in Redis: text fields of one hash, of which the gate keeps `weight`, `open` and `removed`. */
import type { Channel } from "../domain/channel.ts";
import { overPlan } from "../domain/quota-rules.ts";
import type { Quotas } from "../domain/quota.ts";
import type { Instant } from "../domain/time.ts";
import type { Account, NewAccount, OnUncertain } from "./account.ts";
import type { ApiLimit } from "../domain/api-limit-rules.ts";
import { limitIn } from "./api-limits.ts";
import type { Plans } from "./plan.ts";

/** What the account states itself. */
export interface Stated {
  readonly name: string;
  readonly timezone: string;
  readonly plan: string | null;
  readonly weight: number | null;
  readonly quotas: Quotas;
  readonly onUncertain: OnUncertain;
  readonly apiLimit: ApiLimit | null;
  readonly apiCeiling: ApiLimit | null;
  readonly createdAt: Instant;
}

export const stated = (account: NewAccount, createdAt: Instant): Stated => ({
  name: account.name,
  timezone: account.timezone,
  plan: account.plan ?? null,
  weight: account.weight ?? null,
  quotas: account.quotas ?? {},
  onUncertain: account.onUncertain ?? {},
  apiLimit: account.apiLimit ?? null,
  apiCeiling: account.apiCeiling ?? null,
  createdAt,
});

/** `zone` and `weight` are the gate's names for what is in force: what is stated has names of its own. */
export const toFields = (account: Stated): Readonly<Record<string, string>> => ({
  name: account.name,
  timezone: account.timezone,
  plan: account.plan ?? "",
  own_weight: account.weight === null ? "" : String(account.weight),
  quotas: JSON.stringify(account.quotas),
  on_uncertain: JSON.stringify(account.onUncertain),
  api_limit: account.apiLimit ? JSON.stringify(account.apiLimit) : "",
  api_ceiling: account.apiCeiling ? JSON.stringify(account.apiCeiling) : "",
  created_at: String(account.createdAt),
});

/** Null: there is no such account (or its making never got as far as its name). */
export const fromFields = (fields: Readonly<Record<string, string>>): Stated | null => {
  const { name, timezone, plan, own_weight: weight, quotas, on_uncertain: onUncertain, created_at: createdAt } = fields;
  if (name === undefined || timezone === undefined) return null;
  return {
    name,
    timezone,
    plan: plan || null,
    weight: weight ? Number(weight) : null,
    quotas: JSON.parse(quotas ?? "{}") as Quotas,
    onUncertain: JSON.parse(onUncertain ?? "{}") as OnUncertain,
    apiLimit: limitIn(fields["api_limit"]),
    apiCeiling: limitIn(fields["api_ceiling"]),
    createdAt: Number(createdAt) as Instant,
  };
};

/** What is in force: what the account states goes before its plan, the plan before nothing. */
export const rulesOf = (account: Stated, plans: Plans): { readonly weight: number; readonly quotas: Quotas } => {
  const plan = account.plan === null ? undefined : plans.get(account.plan);
  return { weight: account.weight ?? plan?.weight ?? 1, quotas: overPlan(account.quotas, plan?.quotas ?? {}) };
};

export const toAccount = (
  id: string,
  account: Stated,
  plans: Plans,
  now: { readonly paused: readonly Channel[]; readonly removed: boolean },
): Account => {
  const { weight, quotas: effectiveQuotas } = rulesOf(account, plans);
  const { name, timezone, plan, quotas, onUncertain, apiLimit, apiCeiling, createdAt } = account;
  const status = now.removed ? "removing" : "active";
  return {
    id,
    name,
    timezone,
    plan,
    weight,
    quotas,
    effectiveQuotas,
    onUncertain,
    apiLimit,
    apiCeiling,
    paused: now.paused,
    createdAt,
    status,
  };
};
