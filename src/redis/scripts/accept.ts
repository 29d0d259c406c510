import type { Channel, Class } from "../../domain/channel.ts";
import type { Instant } from "../../domain/time.ts";
import { list, number, text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** More would hold Redis too long in one call: 20 to 40 µs each, and as much again for every 10 KB of body. */
export const ACCEPT_AT_MOST = 50;
export const ACCEPT_BYTES = 262_144;

export interface AcceptMessage {
  readonly id: string;
  readonly channel: Channel;
  readonly class: Class;
  readonly sender: string;
  readonly recipient: string;
  readonly sendAt: Instant | null;
  readonly expiresAt: Instant | null;
  /** JSON that stays as long as the record. */
  readonly kept: string;
  /** JSON that goes with the body's retention. */
  readonly body: string;
}

export interface AcceptedRecord {
  readonly state: string;
  /** Its lane, or its account on the channel, is out of quota. */
  readonly parked: boolean;
  readonly createdAt: Instant;
}

export type AcceptReply =
  | { readonly kind: "accepted"; readonly records: readonly AcceptedRecord[] }
  | { readonly kind: "full" }
  | { readonly kind: "gone" };

export const accept = async (
  scripts: ScriptRunner,
  account: string,
  backlogCap: number,
  batchId: string | null,
  messages: readonly AcceptMessage[],
): Promise<AcceptReply> => {
  const args = messages.flatMap((m) => [
    m.id,
    m.channel,
    m.class,
    m.sender,
    m.recipient,
    m.sendAt ?? 0,
    m.expiresAt ?? 0,
    m.recipient.toLowerCase(),
    m.kept,
    m.body,
  ]);
  const reply = await scripts.run(script, [account, backlogCap, batchId ?? "-", ...args]);
  if (reply === "gone" || reply === "full") return { kind: reply };
  const records = list(reply)
    .slice(1)
    .map((entry) => {
      const [state, parked, created] = list(entry);
      return { state: text(state), parked: parked === 1, createdAt: number(created) as Instant };
    });
  return { kind: "accepted", records };
};
