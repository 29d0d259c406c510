import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** False: somebody else has taken the account since, and may have set older rules than they found. */
export const giveAccount = async (scripts: ScriptRunner, account: string, token: string): Promise<boolean> =>
  (await scripts.run(script, [account, token])) === 1;
