import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** @param answer null: the key may be used again at once */
export const endIdempotent = async (
  scripts: ScriptRunner,
  name: string,
  fingerprint: string,
  answer: { status: number; body: string } | null,
  keepForSeconds: number,
): Promise<void> => {
  await scripts.run(script, [name, fingerprint, answer?.status ?? 0, answer?.body ?? "", keepForSeconds]);
};
