import type { Channel } from "../../domain/channel.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export const setPause = async (
  scripts: ScriptRunner,
  account: string,
  channel: Channel,
  paused: boolean,
): Promise<void> => {
  await scripts.run(script, [account, channel, paused ? 1 : 0]);
};
