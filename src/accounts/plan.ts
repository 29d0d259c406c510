/** A plan: a named set of quotas, a weight and API limits. Plans are data in config/plans.yaml. */
import type { Quotas } from "../domain/quota.ts";
import type { ApiLimit } from "./api-key.ts";

export interface Plan {
  readonly quotas: Quotas;
  /** Its accounts' share of a channel relative to others, 1–100. */
  readonly weight: number;
  /** Requests per key; null: what the API's policy says. */
  readonly apiLimit: ApiLimit | null;
}

export type Plans = ReadonlyMap<string, Plan>;
