import { fields, type Fields } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** Null for a key that is unknown or revoked, or whose account is gone or going. */
export const findApiKey = async (scripts: ScriptRunner, id: string): Promise<Fields | null> => {
  const found = fields(await scripts.run(script, [id]));
  return "account" in found ? found : null;
};
