import { list } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";
import type { Release } from "./begin.ts";

const script = loadScript(import.meta.url);

/** @param token of the run that began them; "" for messages that were released and not begun. True: given back. */
export const unrelease = async (
  scripts: ScriptRunner,
  token: string,
  messages: readonly Release[],
): Promise<readonly boolean[]> => {
  const replies = list(await scripts.run(script, [token, ...messages.flatMap((m) => [m.id, m.release])]));
  return replies.map((reply) => reply === 1);
};
