import { text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export type Heard = "changed" | "noted" | "known" | "unknown";

/** @param reason why it was not delivered; "" for none */
export const heard = async (
  scripts: ScriptRunner,
  id: string,
  verdict: "sent" | "delivered" | "undelivered",
  providerId: string,
  reason: string,
): Promise<Heard> => text(await scripts.run(script, [id, verdict, providerId, reason])) as Heard;
