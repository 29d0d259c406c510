import { number } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** How many messages of the account have not ended. */
export const cancelSome = async (scripts: ScriptRunner, account: string, atMost = 100): Promise<number> =>
  number(await scripts.run(script, [account, atMost]));
