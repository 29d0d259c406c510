import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** False: the account has no such key. */
export const revokeApiKey = async (scripts: ScriptRunner, account: string, id: string): Promise<boolean> =>
  (await scripts.run(script, [account, id])) === 1;
