/** What lies in BullMQ for a channel that no worker serves: back into its lanes, all of it. */
import type { Channel } from "../domain/channel.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { giveBack } from "../redis/scripts/give-back.ts";

/** @returns how many messages went back; 0 for a channel that somebody serves */
export const giveBackUnserved = async (scripts: ScriptRunner, channel: Channel): Promise<number> => {
  for (let given = 0; ;) {
    const back = await giveBack(scripts, channel);
    if (back === 0) return given;
    given += back;
  }
};
