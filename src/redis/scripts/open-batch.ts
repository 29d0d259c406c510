import type { Channel } from "../../domain/channel.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export const openBatch = async (
  scripts: ScriptRunner,
  batch: { id: string; account: string; channel: Channel; total: number; template: string | null },
): Promise<void> => {
  await scripts.run(script, [batch.id, batch.account, batch.channel, batch.total, batch.template ?? ""]);
};
