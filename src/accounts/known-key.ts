/**
 * A key as a request shows it, from one look-up: the key, and what bounds its requests. Where this process knows it already,
 * the request is held to those bounds in the same call, if they are still what they were.
 */
import { remembered } from "../domain/remembered.ts";
import type { Instant } from "../domain/time.ts";
import type { Admission, AdmitBucket } from "../redis/admissions.ts";
import { letIn, readFoundKey, type Asking, type FoundKey } from "../redis/scripts/let-in.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { together } from "../redis/together.ts";
import type { LiveKey } from "./api-key.ts";
import type { ApiLimit } from "../domain/api-limit-rules.ts";
import { firstStated, limitIn } from "./api-limits.ts";
import { fromFields } from "./key-record.ts";
import { digestBytes } from "./key-text.ts";
import type { Plans } from "./plan.ts";
import { apiLimitsIn } from "./plan-record.ts";

type PlanLimits = { readonly apiLimit: ApiLimit | null; readonly apiCeiling: ApiLimit | null };

/** What this process has read of a key, and the text that it was read from: as long as that is the same, the same object. */
export interface Read {
  readonly text: string;
  readonly key: LiveKey;
  /** Null for what cannot be one. */
  readonly digest: Buffer | null;
}

interface Found {
  readonly read: Read;
  readonly seenAt: Instant;
  /** Null: the request is still to be held to its limits. */
  readonly admission: Admission | null;
}

export interface FindKey {
  /** As it was last; it may be revoked since. */
  read(id: string): Read | undefined;
  /**
   * Null for one that is unknown, expired or revoked.
   * @param buckets what a request is held to, by the key as it was last read: charged if nothing of the key has changed since
   */
  find(id: string, buckets?: readonly AdmitBucket[]): Promise<Found | null>;
}

/** Keys in one call: as many as messages that are accepted in one (gate/accepting.ts), for they are of the same requests. */
const AT_MOST = 64;
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
    return { text, key: { ...record, limits }, digest: digestBytes(found.fields["digest"] ?? "") };
  };

  const kept = remembered<string, Read>(KEYS_REMEMBERED);
  const readAgain = (id: string, text: string): Read => {
    let known = kept.get(id);
    if (known?.text !== text) kept.set(id, (known = readKey(id, text)));
    return known;
  };

  // Every request is looked up after it came, by a call that others share: one that came under the same key as well.
  const ask = together<Asking, Found | null>(
    async (asked) => {
      const { now, letIn: told } = await letIn(scripts, asked);
      return told.map(({ text, admission }, at) =>
        text === "" ? null : { read: readAgain(asked[at]!.id, text), seenAt: now, admission },
      );
    },
    AT_MOST,
    "all",
  );
  return {
    read: kept.get,
    find: (id, buckets) => ask({ id, known: kept.get(id)?.text ?? "", buckets: buckets ?? null }),
  };
};
