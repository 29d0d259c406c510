import type { Channel, Class } from "../../domain/channel.ts";
import type { Instant } from "../../domain/time.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export interface OpenBatch {
  readonly id: string;
  readonly account: string;
  readonly channel: Channel;
  readonly total: number;
  readonly template: string | null;
  /** Of its first message: those that have the same take little room. Only where all ids are of the batch's seed. */
  readonly shared?: {
    readonly class: Class;
    readonly sender: string;
    readonly sendAt: Instant | null;
    readonly expiresAt: Instant | null;
  };
}

export const openBatch = async (scripts: ScriptRunner, batch: OpenBatch): Promise<void> => {
  const { id, account, channel, total, template, shared } = batch;
  const more = shared ? [shared.class, shared.sender, shared.sendAt ?? 0, shared.expiresAt ?? 0] : [];
  await scripts.run(script, [id, account, channel, total, template ?? "", ...more]);
};
