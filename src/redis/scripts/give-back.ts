import type { Channel } from "../../domain/channel.ts";
import { number } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** More would hold Redis too long in one call: 50 µs each where each is of another account. */
const AT_MOST = 100;

/** Answers how many went back: 0 when all have, or somebody serves the channel. */
export const giveBack = async (scripts: ScriptRunner, channel: Channel, atMost = AT_MOST): Promise<number> =>
  number(await scripts.run(script, [channel, atMost]));
