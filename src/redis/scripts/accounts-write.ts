import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** False: the account is not, or no longer, this caller's to change. */
export const writeAccount = async (
  scripts: ScriptRunner,
  account: string,
  token: string,
  fields: Readonly<Record<string, string>>,
): Promise<boolean> => (await scripts.run(script, [account, token, ...Object.entries(fields).flat()])) === 1;
