import { list, number } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";
import type { Retention } from "./tick.ts";

const script = loadScript(import.meta.url);

export const purge = async (
  scripts: ScriptRunner,
  retention: Retention,
  atMost = 100,
): Promise<{ bodies: number; records: number; more: boolean }> => {
  const [bodies, records, more] = list(await scripts.run(script, [retention.bodies, retention.records, atMost]));
  return { bodies: number(bodies), records: number(records), more: more === 1 };
};
