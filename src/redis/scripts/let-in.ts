import { instant, type Instant } from "../../domain/time.ts";
import {
  addWords,
  admissionsIn,
  groupsOf,
  type Admission,
  type AdmitBucket,
  type AdmitRequest,
} from "../admissions.ts";
import { fields, list, number, text, type Fields } from "../reply.ts";
import { loadScript, type Reply, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** One who asks to be let in. */
export interface Asking {
  /** The key's id. */
  readonly id: string;
  /** What `readFoundKey` read of it last; "" where nothing is known. */
  readonly known: string;
  /** By which a request is held to its limits, if the key is as it is known; null: nothing is charged. */
  readonly buckets: readonly AdmitBucket[] | null;
}

export interface LetIn {
  /** What `readFoundKey` reads; "" for a key that is unknown, expired or revoked, or whose account is gone or going. */
  readonly text: string;
  /** Null where nothing was charged. */
  readonly admission: Admission | null;
}

export interface FoundKey {
  readonly fields: Fields;
  /** Its account's; "" for none. Limits and the plan are as they are kept: JSON, or "" where nothing is. */
  readonly plan: string;
  readonly apiLimit: string;
  readonly apiCeiling: string;
  readonly setPlan: string;
}

/** Each as if it had come alone: those of one caller in their order. */
export const letIn = async (
  scripts: ScriptRunner,
  asked: readonly Asking[],
): Promise<{ readonly now: Instant; readonly letIn: readonly LetIn[] }> => {
  const keys = new Map<string, { readonly place: number; readonly known: string }>();
  for (const { id, known } of asked) if (!keys.has(id)) keys.set(id, { place: keys.size, known });
  const requests: AdmitRequest[] = [];
  // Of each request the place of its key, and of each that asks the request that is made for it.
  const keyOf: number[] = [];
  const requestOf: (number | null)[] = [];
  for (const { id, known, buckets } of asked) {
    const key = keys.get(id)!;
    // One key is known by one text: of whoever knows another, nothing is charged.
    const isCharged = buckets !== null && known !== "" && known === key.known;
    requestOf.push(isCharged ? requests.length : null);
    if (!isCharged) continue;
    requests.push({ mode: "take", buckets });
    keyOf.push(key.place);
  }

  const args: (string | number)[] = [keys.size];
  for (const [id, { known }] of keys) args.push(id, known);
  const groups = groupsOf(requests);
  for (const group of groups) {
    args.push(keyOf[group.places[0]!]! + 1);
    addWords(args, group);
  }
  const [now, told, ...said] = list(await scripts.run(script, args));
  const texts = list(told);
  const admissions = admissionsIn(groups, said);
  return {
    now: instant(number(now)),
    letIn: asked.map(({ id }, at) => {
      const { place, known } = keys.get(id)!;
      const request = requestOf[at] ?? null;
      return {
        text: texts[place] === 1 ? known : text(texts[place]),
        admission: request === null ? null : (admissions[request] ?? null),
      };
    }),
  };
};

export const readFoundKey = (found: string): FoundKey => {
  const [plan, apiLimit, apiCeiling, setPlan, ...key] = JSON.parse(found) as Reply[];
  return {
    plan: text(plan),
    apiLimit: text(apiLimit),
    apiCeiling: text(apiCeiling),
    setPlan: text(setPlan),
    fields: fields(key),
  };
};
