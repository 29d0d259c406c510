import { instant, type Instant } from "../../domain/time.ts";
import { fields, list, number, text, type Fields } from "../reply.ts";
import { loadScript, type Reply, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export interface FoundKey {
  readonly fields: Fields;
  /** Its account's; "" for none. Limits and the plan are as they are kept: JSON, or "" where nothing is. */
  readonly plan: string;
  readonly apiLimit: string;
  readonly apiCeiling: string;
  readonly setPlan: string;
}

export interface FoundKeys {
  readonly now: Instant;
  /** For each of the ids what `readFoundKey` reads; "" for a key that is unknown, expired or revoked, or whose account is gone or going. */
  readonly texts: readonly string[];
}

export const findApiKeys = async (scripts: ScriptRunner, ids: readonly string[]): Promise<FoundKeys> => {
  const [now, ...texts] = list(await scripts.run(script, ids));
  return { now: instant(number(now)), texts: texts.map(text) };
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
