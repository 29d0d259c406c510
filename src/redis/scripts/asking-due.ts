import type { Channel } from "../../domain/channel.ts";
import { instant, type Instant, type Millis } from "../../domain/time.ts";
import { list, number, text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** A text that may have been sent. */
export interface Doubtful {
  readonly id: string;
  /** How often its provider has been asked. */
  readonly asked: number;
  readonly channel: Channel;
  readonly sender: string;
  readonly recipient: string;
  /** By Redis's clock. */
  readonly beganAt: Instant;
  readonly batchId: string | null;
  /** JSON of the body. */
  readonly body: string;
}

export const askingDue = async (
  scripts: ScriptRunner,
  atMost: number,
  claim: Millis,
): Promise<{ now: Instant; doubtful: readonly Doubtful[] }> => {
  const [now, ...entries] = list(await scripts.run(script, [atMost, claim]));
  return {
    now: instant(number(now)),
    doubtful: entries.map((entry) => {
      const [id, asked, channel, sender, recipient, began, batch, rest] = list(entry);
      const record = text(rest);
      return {
        id: text(id),
        asked: number(asked),
        channel: text(channel) as Channel,
        sender: text(sender),
        recipient: text(recipient),
        beganAt: instant(number(began)),
        batchId: text(batch) || null,
        body: record.slice(record.indexOf("\n") + 1),
      };
    }),
  };
};
