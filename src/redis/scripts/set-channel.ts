import type { AuditNote } from "../../domain/audit.ts";
import type { Channel } from "../../domain/channel.ts";
import type { Millis } from "../../domain/time.ts";
import { auditArguments } from "../audit-arguments.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export interface ChannelChange {
  /** The least time between two starts; null lifts the rate. */
  readonly interval?: Millis | null;
  readonly paused?: boolean;
  /** Closed for so long from now on; 0 opens it. */
  readonly close?: Millis;
}

export const setChannel = async (
  scripts: ScriptRunner,
  channel: Channel,
  change: ChannelChange,
  notes: readonly AuditNote[] = [],
): Promise<void> => {
  const args: (string | number)[] = [channel, ...auditArguments(notes)];
  if (change.interval !== undefined) args.push("interval", change.interval ?? "none");
  if (change.paused !== undefined) args.push("paused", change.paused ? 1 : 0);
  if (change.close !== undefined) args.push("close", change.close);
  await scripts.run(script, args);
};
