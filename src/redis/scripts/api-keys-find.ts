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

/** For each of the ids; null for a key that is unknown, expired or revoked, or whose account is gone or going. */
export const findApiKeys = async (
  scripts: ScriptRunner,
  ids: readonly string[],
): Promise<readonly (FoundKey | null)[]> =>
  list(await scripts.run(script, ids)).map((found) => {
    const [now, plan, apiLimit, apiCeiling, setPlan, ...key] = list(found);
    if (now === undefined) return null;
    return {
      now: instant(number(now)),
      plan: text(plan),
      apiLimit: text(apiLimit),
      apiCeiling: text(apiCeiling),
      setPlan: text(setPlan),
      fields: fields(key),
    };
  });
