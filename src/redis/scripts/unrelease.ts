import { list } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";
import type { Run } from "./begin.ts";

const script = loadScript(import.meta.url);

/** What was released, and what these very runs began. True: given back. */
export const unrelease = async (scripts: ScriptRunner, runs: readonly Run[]): Promise<readonly boolean[]> => {
  const args = runs.flatMap(({ token, id, release }) => [token, id, release]);
  const replies = list(await scripts.run(script, args));
  return replies.map((reply) => reply === 1);
};
