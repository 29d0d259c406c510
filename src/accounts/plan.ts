/** A plan: a named set of quotas, a weight and API limits. From config/plans.yaml, or set over the API, which goes before. */
import type { Who } from "../domain/audit.ts";
import type { Quotas } from "../domain/quota.ts";
import type { ApiLimit } from "../domain/api-limit-rules.ts";

export interface Plan {
  readonly quotas: Quotas;
  /** Its accounts' share of a channel relative to others, 1–100. */
  readonly weight: number;
  /** Requests per key; null: what the API's policy says. */
  readonly apiLimit: ApiLimit | null;
  /** Requests of an organisation over all its keys; null: none. */
  readonly apiCeiling: ApiLimit | null;
}

export type Plans = ReadonlyMap<string, Plan>;

export interface PlanInForce extends Plan {
  readonly name: string;
  readonly source: "file" | "api";
}

/** Plans as the operator sees and changes them. */
export interface PlanStore {
  /** By name. */
  list(): Promise<readonly PlanInForce[]>;
  get(name: string): Promise<PlanInForce | null>;
  /**
   * API limits are in force when it resolves, and so are quotas and weights, for all accounts that have the plan: they
   * were told in batches.
   */
  put(name: string, plan: Plan, who?: Who): Promise<PlanInForce>;
  /**
   * These and no others: plans that are not among them are removed.
   * @throws plan_in_use when an account has one that would go; nothing was changed then
   */
  putAll(plans: Plans, who?: Who): Promise<readonly PlanInForce[]>;
}
