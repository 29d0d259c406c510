import { list, number } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export const expire = async (scripts: ScriptRunner, atMost = 100): Promise<{ expired: number; more: boolean }> => {
  const [expired, more] = list(await scripts.run(script, [atMost]));
  return { expired: number(expired), more: more === 1 };
};
