import { instant, type Instant } from "../../domain/time.ts";
import { fields, list, number, text, type Fields } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export interface FoundKey {
  readonly now: Instant;
  readonly fields: Fields;
  /** Its account's; "" for none. Limits and the plan are as they are kept: JSON, or "" where nothing is. */
  readonly plan: string;
  readonly apiLimit: string;
  readonly apiCeiling: string;
  readonly setPlan: string;
}

/** Null for a key that is unknown, expired or revoked, or whose account is gone or going. */
export const findApiKey = async (scripts: ScriptRunner, id: string): Promise<FoundKey | null> => {
  const [now, plan, apiLimit, apiCeiling, setPlan, ...key] = list(await scripts.run(script, [id]));
  if (now === undefined) return null;
  return {
    now: instant(number(now)),
    plan: text(plan),
    apiLimit: text(apiLimit),
    apiCeiling: text(apiCeiling),
    setPlan: text(setPlan),
    fields: fields(key),
  };
};
