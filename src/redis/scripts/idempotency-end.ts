import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** An answer to keep; or the key may be used again at once, by a run that judges anew where `made` is nothing. */
export type End = { readonly status: number; readonly body: string } | { readonly made: "nothing" | "unknown" };

export const endIdempotent = async (
  scripts: ScriptRunner,
  name: string,
  fingerprint: string,
  end: End,
  keepForSeconds: number,
): Promise<void> => {
  const [status, body, anew] = "made" in end ? [0, "", end.made === "nothing" ? 1 : 0] : [end.status, end.body, 0];
  await scripts.run(script, [name, fingerprint, status, body, keepForSeconds, anew]);
};
