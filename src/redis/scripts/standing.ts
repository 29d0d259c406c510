import type { MessageState } from "../../domain/message.ts";
import { list, text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** More would hold Redis too long in one call. */
export const STANDING_AT_MOST = 200;

/** The statuses of many messages, cheaply: no forecast. Null for an id that the account does not have. */
export const standing = async (
  scripts: ScriptRunner,
  account: string,
  ids: readonly string[],
): Promise<readonly (MessageState | null)[]> =>
  list(await scripts.run(script, [account, ...ids])).map((state) => (text(state) || null) as MessageState | null);
