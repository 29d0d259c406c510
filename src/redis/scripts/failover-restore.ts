import type { Channel } from "../../domain/channel.ts";
import type { Instant, Millis } from "../../domain/time.ts";
import { list } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";
import type { Release } from "./begin.ts";

const script = loadScript(import.meta.url);

/** A message that a worker began to send, as it remembers it. */
export interface Begins extends Release {
  readonly token: string;
  /** The worker was told that its outcome is kept. */
  readonly settled: boolean;
  /** It was sent, or may have been. */
  readonly charged: boolean;
  readonly begunAgo: Millis;
  readonly account: string;
  readonly channel: Channel;
  readonly sender: string;
  readonly recipient: string;
  readonly batchId: string | null;
  readonly createdAt: Instant;
  /** JSON; "" when it is not needed any more. */
  readonly body: string;
}

/** `none`: nothing of it was lost; `sending`: as Redis knew; `restored`: Redis had lost that, or its outcome. */
export type Restored = "none" | "sending" | "restored";
const KINDS = ["none", "sending", "restored"] as const;

/** More would hold Redis too long in one call: 10 µs each where nothing was lost, 60 where all was. */
export const RESTORE_AT_MOST = 100;

export const restore = async (
  scripts: ScriptRunner,
  reapIn: Millis,
  messages: readonly Begins[],
): Promise<readonly Restored[]> => {
  const args = messages.flatMap((m) => [
    m.id,
    m.release,
    m.token,
    m.settled ? 1 : 0,
    m.charged ? 1 : 0,
    Math.round(m.begunAgo),
    m.account,
    m.channel,
    m.sender,
    m.recipient,
    m.batchId ?? "",
    m.createdAt,
    m.body,
  ]);
  return list(await scripts.run(script, [reapIn, ...args])).map((reply) => KINDS[Number(reply)] ?? "none");
};
