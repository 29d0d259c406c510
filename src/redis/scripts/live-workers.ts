import { list, text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** Ids of the worker processes that live. */
export const liveWorkers = async (scripts: ScriptRunner): Promise<readonly string[]> => {
  const members = list(await scripts.run(script, [])).map(text);
  return [...new Set(members.map((member) => member.split(":")[0] ?? ""))];
};
