import type { Instant } from "../../domain/time.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export const noteApiKeyUse = async (scripts: ScriptRunner, id: string, at: Instant): Promise<void> => {
  await scripts.run(script, [id, at]);
};
