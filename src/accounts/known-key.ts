/** A key as a request shows it, from one look-up: the key, and what bounds its requests. */
import { findApiKeys, type FoundKey } from "../redis/scripts/api-keys-find.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { together } from "../redis/together.ts";
import type { KnownKey } from "./api-key.ts";
import { firstStated, limitIn, type ApiLimit } from "./api-limits.ts";
import { fromFields } from "./key-record.ts";
import type { Plans } from "./plan.ts";
import { apiLimitsIn } from "./plan-record.ts";

type PlanLimits = { readonly apiLimit: ApiLimit | null; readonly apiCeiling: ApiLimit | null };

type Found = { readonly key: KnownKey; readonly digest: string };

export type FindKey = (id: string) => Promise<Found | null>;

/** Keys in one call: twice as many make none of them cheaper, and Redis has nothing to do meanwhile. */
const AT_MOST = 16;

/** @param plans of the file: they apply where nothing else was set over the API */
export const findKeyOn = (scripts: ScriptRunner, plans: Plans): FindKey => {
  // Plans are few, and come with each request as the same text.
  let parsed = new Map<string, PlanLimits>();
  const setPlan = (json: string): PlanLimits => {
    const known = parsed.get(json);
    if (known) return known;
    if (parsed.size >= 1_000) parsed = new Map();
    const limits = apiLimitsIn(json);
    parsed.set(json, limits);
    return limits;
  };
  const NONE: PlanLimits = { apiLimit: null, apiCeiling: null };
  const limitsOfPlan = ({ plan, setPlan: json }: FoundKey): PlanLimits =>
    json === "" ? (plans.get(plan) ?? NONE) : setPlan(json);

  const foundKey = (id: string, found: FoundKey): Found => {
    const ofPlan = limitsOfPlan(found);
    const record = fromFields(id, found.fields);
    const key: KnownKey = {
      ...record,
      seenAt: found.now,
      limits: {
        key: record.apiLimit,
        account: limitIn(found.apiLimit),
        plan: found.plan || null,
        planLimit: ofPlan.apiLimit,
        ceiling: firstStated(limitIn(found.apiCeiling), ofPlan.apiCeiling),
      },
    };
    return { key, digest: found.fields["digest"] ?? "" };
  };

  // Every request is looked up after it came, by a call that others share: one that came under the same key as well.
  return together<string, Found | null>(
    async (asked) => {
      const ids = [...new Set(asked)];
      const found = await findApiKeys(scripts, ids);
      const known = new Map(ids.map((id, at) => [id, found[at] ? foundKey(id, found[at]) : null]));
      return asked.map((id) => known.get(id) ?? null);
    },
    AT_MOST,
    "all",
  );
};
