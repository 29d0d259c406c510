import type { Millis } from "../../domain/time.ts";
import { list } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";
import type { Run } from "./begin.ts";

const script = loadScript(import.meta.url);

/** A provider's words may be cut within a pair of surrogates, or come so: that is no text, and cjson refuses it. */
const whole = (text: string | undefined): string | undefined => text?.replace(/\p{Cs}/gu, "\ufffd");

/** What is to become of a message after an attempt; domain/action.ts decides it. */
export interface Settlement extends Run {
  readonly action: "sent" | "failed" | "later" | "uncertain";
  /** Before it may go again. */
  readonly delay: Millis;
  /** What the attempt cost. */
  readonly tries: 0 | 1;
  readonly mostTries: number;
  readonly close: { readonly about: "sender" | "channel"; readonly for: Millis } | null;
  /** How the attempt is told afterwards, as JSON; null for none. */
  readonly record: string | null;
  readonly providerId?: string;
  /** Why it failed, or is uncertain. */
  readonly reason?: string;
  /** Why nothing shall be sent to the address again. */
  readonly suppress?: string;
  /** Of an uncertain one: it may go again whatever its account says of those. */
  readonly again?: true;
}

/** `refused`: it is not ours any more. Nothing changed, unless the late news was that what the reaper took for uncertain was sent. */
export type Settled = "ok" | "refused";

export const settle = async (
  scripts: ScriptRunner,
  settlements: readonly Settlement[],
): Promise<readonly Settled[]> => {
  const args = settlements.flatMap((s) => [
    s.token,
    s.id,
    s.release,
    s.action,
    s.delay,
    s.tries,
    s.mostTries,
    s.close?.about ?? "-",
    s.close?.for ?? 0,
    s.record ?? "",
    JSON.stringify({
      provider_id: whole(s.providerId),
      reason: whole(s.reason),
      suppress: whole(s.suppress),
      again: s.again,
    }),
  ]);
  return list(await scripts.run(script, args)) as Settled[];
};
