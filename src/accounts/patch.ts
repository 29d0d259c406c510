/** What an account states after a change. Pure. */
import type { Quotas } from "../domain/quota.ts";
import type { AccountPatch } from "./account.ts";
import type { Stated } from "./record.ts";

/** A level that is named is replaced as a whole, also by `{}`, which leaves everything to the plan. Others stay. */
export const ownQuotas = (before: Quotas, change: Quotas): Quotas =>
  Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, quota]) => Object.keys(quota).length > 0));

export const patched = (account: Stated, patch: AccountPatch): Stated => ({
  name: patch.name ?? account.name,
  timezone: patch.timezone ?? account.timezone,
  plan: patch.plan === undefined ? account.plan : patch.plan,
  weight: patch.weight === undefined ? account.weight : patch.weight,
  quotas: patch.quotas ? ownQuotas(account.quotas, patch.quotas) : account.quotas,
  onUncertain: { ...account.onUncertain, ...patch.onUncertain },
  apiLimit: patch.apiLimit === undefined ? account.apiLimit : patch.apiLimit,
  apiCeiling: patch.apiCeiling === undefined ? account.apiCeiling : patch.apiCeiling,
  createdAt: account.createdAt,
});
