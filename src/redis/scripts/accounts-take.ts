import type { Millis } from "../../domain/time.ts";
import { text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export type Taken = "unknown" | "removing" | "exists" | "busy" | "taken";

export const takeAccount = async (
  scripts: ScriptRunner,
  account: string,
  token: string,
  { atMost, isNew }: { atMost: Millis; isNew: boolean },
): Promise<Taken> => text(await scripts.run(script, [account, token, atMost, isNew ? "new" : "old"])) as Taken;
