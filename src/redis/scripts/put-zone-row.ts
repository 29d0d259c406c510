import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** False when a row of a newer tz release is there. */
export const putZoneRow = async (scripts: ScriptRunner, zone: string, row: string): Promise<boolean> =>
  (await scripts.run(script, [zone, row])) === 1;
