import type { AuditNote } from "../../domain/audit.ts";
import type { Channel } from "../../domain/channel.ts";
import { auditArguments } from "../audit-arguments.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export const setPause = async (
  scripts: ScriptRunner,
  account: string,
  channel: Channel,
  paused: boolean,
  notes: readonly AuditNote[] = [],
): Promise<void> => {
  await scripts.run(script, [account, channel, paused ? 1 : 0, ...auditArguments(notes)]);
};
