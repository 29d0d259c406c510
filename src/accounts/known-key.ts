/** A key as a request shows it, from one look-up: the key, and what bounds its requests. */
import { remembered } from "../domain/remembered.ts";
import type { Instant } from "../domain/time.ts";
import { findApiKeys, readFoundKey, type FoundKey } from "../redis/scripts/api-keys-find.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { together } from "../redis/together.ts";
import type { KnownKey } from "./api-key.ts";
import { firstStated, limitIn, type ApiLimit } from "./api-limits.ts";
import { fromFields } from "./key-record.ts";
import type { Plans } from "./plan.ts";
import { apiLimitsIn } from "./plan-record.ts";

type PlanLimits = { readonly apiLimit: ApiLimit | null; readonly apiCeiling: ApiLimit | null };

/** As long as nothing of it changes, all but the time at which it was seen is the same object again, limits included. */
type Found = { readonly key: KnownKey; readonly digest: string };

/** What was read of a key, and the text that it was read from. */
interface Read {
  readonly text: string;
  readonly key: Omit<KnownKey, "seenAt">;
  readonly digest: string;
}

export type FindKey = (id: string) => Promise<Found | null>;

/** Keys in one call: twice as many make none of them cheaper, and Redis has nothing to do meanwhile. */
const AT_MOST = 32;
/** Some two kilobytes each. One that is forgotten is read again from its next look-up. */
const KEYS_REMEMBERED = 1_000;
const PLANS_REMEMBERED = 1_000;

/** @param plans of the file: they apply where nothing else was set over the API */
export const findKeyOn = (scripts: ScriptRunner, plans: Plans): FindKey => {
  // Plans are few, and come with each request as the same text.
  const parsed = remembered<string, PlanLimits>(PLANS_REMEMBERED);
  const setPlan = (json: string): PlanLimits => {
    const known = parsed.get(json);
    if (known) return known;
    const limits = apiLimitsIn(json);
    parsed.set(json, limits);
    return limits;
  };
  const NONE: PlanLimits = { apiLimit: null, apiCeiling: null };
  const limitsOfPlan = ({ plan, setPlan: json }: FoundKey): PlanLimits =>
    json === "" ? (plans.get(plan) ?? NONE) : setPlan(json);

  const readKey = (id: string, text: string): Read => {
    const found = readFoundKey(text);
    const ofPlan = limitsOfPlan(found);
    const record = fromFields(id, found.fields);
    const limits = {
      key: record.apiLimit,
      account: limitIn(found.apiLimit),
      plan: found.plan || null,
      planLimit: ofPlan.apiLimit,
      ceiling: firstStated(limitIn(found.apiCeiling), ofPlan.apiCeiling),
    };
    return { text, key: { ...record, limits }, digest: found.fields["digest"] ?? "" };
  };

  const read = remembered<string, Read>(KEYS_REMEMBERED);
  const foundKey = (id: string, text: string, seenAt: Instant): Found => {
    let known = read.get(id);
    if (known?.text !== text) read.set(id, (known = readKey(id, text)));
    return { key: { ...known.key, seenAt }, digest: known.digest };
  };

  // Every request is looked up after it came, by a call that others share: one that came under the same key as well.
  return together<string, Found | null>(
    async (asked) => {
      const ids = [...new Set(asked)];
      const { now, texts } = await findApiKeys(scripts, ids);
      const known = new Map(ids.map((id, at) => [id, texts[at] ? foundKey(id, texts[at], now) : null]));
      return asked.map((id) => known.get(id) ?? null);
    },
    AT_MOST,
    "all",
  );
};
