import { text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** @param decision "" only asks. @returns the one in force; "" for none */
export const decideIdempotent = async (
  scripts: ScriptRunner,
  name: string,
  fingerprint: string,
  decision: string,
): Promise<string> => text(await scripts.run(script, [name, fingerprint, decision]));
