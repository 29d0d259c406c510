import type { Channel } from "../../domain/channel.ts";
import { number } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/**
 * A worker beats every 2 s and is dead after 6 (lib/workers.lua).
 * @param seen the newest generation of the cell that this process has seen
 */
export const beat = async (
  scripts: ScriptRunner,
  worker: string,
  concurrency: { readonly [channel in Channel]?: number },
  live: boolean,
  seen = 0,
): Promise<number> => {
  const members = Object.entries(concurrency).map(([channel, hands]) => `${worker}:${channel}:${hands}`);
  return number(await scripts.run(script, [live ? 1 : 0, seen, ...members]));
};
