import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** False: there is no such account, or it is being removed. */
export const addApiKey = async (
  scripts: ScriptRunner,
  account: string,
  id: string,
  fields: Readonly<Record<string, string>>,
): Promise<boolean> => (await scripts.run(script, [account, id, ...Object.entries(fields).flat()])) === 1;
