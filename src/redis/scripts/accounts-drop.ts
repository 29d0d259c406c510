import { number } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** What one call may take with it: a few hundred unlinks are well under a millisecond. */
const AT_MOST = 200;

/** False: not yet. */
export const dropAccount = async (scripts: ScriptRunner, account: string): Promise<boolean> => {
  for (;;) {
    const reply = number(await scripts.run(script, [account, AT_MOST]));
    if (reply !== 0) return reply === 1;
  }
};
