import type { Channel } from "../../domain/channel.ts";
import type { Millis } from "../../domain/time.ts";
import { list, number } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export const reap = async (
  scripts: ScriptRunner,
  mostTries: { readonly [channel in Channel]: number },
  delay: Millis,
  atMost = 100,
): Promise<{ reaped: number; more: boolean }> => {
  const [reaped, more] = list(await scripts.run(script, [atMost, delay, ...Object.entries(mostTries).flat()]));
  return { reaped: number(reaped), more: more === 1 };
};
