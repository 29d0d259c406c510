import type { Millis } from "../../domain/time.ts";
import { text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";
import type { Doubtful } from "./asking-due.ts";

const script = loadScript(import.meta.url);

export interface Verdict {
  readonly verdict: "sent" | "delivered" | "undelivered" | "absent" | "unknown";
  readonly providerId?: string;
}

export const asked = async (
  scripts: ScriptRunner,
  { id, asked: times }: Pick<Doubtful, "id" | "asked">,
  { verdict, providerId = "" }: Verdict,
  mostTries: number,
  delay: Millis,
): Promise<"ended" | "again" | "resend" | "stale"> =>
  text(await scripts.run(script, [id, times, verdict, providerId, mostTries, delay])) as
    "ended" | "again" | "resend" | "stale";
