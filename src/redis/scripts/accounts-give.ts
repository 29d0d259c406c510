import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/**
 * @param rules `half`: they may be half set, and whoever comes next completes them
 * @returns false: somebody else has taken the account since, and may have set newer rules before our older ones
 */
export const giveAccount = async (
  scripts: ScriptRunner,
  account: string,
  token: string,
  rules: "whole" | "half",
): Promise<boolean> => (await scripts.run(script, [account, token, rules])) === 1;
