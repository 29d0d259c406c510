import type { Millis, Instant } from "../../domain/time.ts";
import { list, number, text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** A message as released: which, and which of its releases this is. */
export interface Release {
  readonly id: string;
  readonly release: number;
}

/** One go at it: a token of its own, so that of two that have the same message only one is told to go. */
export interface Run extends Release {
  readonly token: string;
}

export type Begun =
  | {
      readonly kind: "go";
      /** Until its slot of the channel's rate. */
      readonly slotIn: Millis;
      readonly tries: number;
      /** Earlier attempts, those that cost no try included. */
      readonly attempts: number;
      readonly account: string;
      readonly sender: string;
      readonly recipient: string;
      readonly batchId: string | null;
      readonly createdAt: Instant;
      /** JSON of the body. */
      readonly body: string;
    }
  | { readonly kind: "wait"; readonly waitFor: Millis }
  | { readonly kind: "returned"; readonly why: string }
  | { readonly kind: "ended"; readonly state: string }
  | { readonly kind: "taken" }
  | { readonly kind: "stale" };

export const begin = async (scripts: ScriptRunner, reapIn: Millis, runs: readonly Run[]): Promise<readonly Begun[]> => {
  const args = runs.flatMap(({ token, id, release }) => [token, id, release]);
  const replies = list(await scripts.run(script, [reapIn, ...args]));
  return replies.map((entry): Begun => {
    const reply = list(entry);
    const kind = text(reply[0]);
    switch (kind) {
      case "go": {
        const [, slot, tries, attempts, whole, account, sender, recipient, batch, created] = reply;
        const record = text(whole);
        return {
          kind: "go",
          slotIn: number(slot) as Millis,
          tries: number(tries),
          attempts: number(attempts),
          account: text(account),
          sender: text(sender),
          recipient: text(recipient),
          batchId: text(batch) || null,
          createdAt: number(created) as Instant,
          body: record.slice(record.indexOf("\n", record.indexOf("\n") + 1) + 1),
        };
      }
      case "wait":
        return { kind: "wait", waitFor: number(reply[1]) as Millis };
      case "returned":
        return { kind: "returned", why: text(reply[1]) };
      case "ended":
        return { kind: "ended", state: text(reply[1]) };
      case "taken":
        return { kind: "taken" };
      case "stale":
        return { kind: "stale" };
      default:
        throw new TypeError(`begin answered ${kind}`);
    }
  });
};
