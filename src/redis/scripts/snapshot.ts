import type { Instant } from "../../domain/time.ts";
import { fields, list, number, type Fields } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** Rows and hashes as they stand together at one instant. */
export const snapshot = async (
  scripts: ScriptRunner,
  keys: readonly string[],
): Promise<{ now: Instant; hashes: readonly Fields[] }> => {
  const [now, ...hashes] = list(await scripts.run(script, keys));
  return { now: number(now) as Instant, hashes: hashes.map(fields) };
};
