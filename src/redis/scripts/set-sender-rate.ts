import type { Channel } from "../../domain/channel.ts";
import type { Millis } from "../../domain/time.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export const setSenderRate = async (
  scripts: ScriptRunner,
  account: string,
  channel: Channel,
  sender: string,
  interval: Millis | null,
): Promise<void> => {
  await scripts.run(script, [account, channel, sender, interval ?? "none"]);
};
