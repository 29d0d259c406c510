import type { Millis } from "../../domain/time.ts";
import { text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";
import type { Doubtful } from "./asking-due.ts";

const script = loadScript(import.meta.url);

/** What the provider said. Of the candidates the first that is no other message's is the one. */
export type Answer =
  | { readonly kind: "absent" | "unknown" }
  /** Its provider has nothing to look in: to ask again would tell no more. */
  | { readonly kind: "unaskable" }
  | {
      readonly kind: "found";
      readonly candidates: readonly {
        readonly verdict: "sent" | "delivered" | "undelivered";
        readonly providerId: string;
      }[];
    };

export const asked = async (
  scripts: ScriptRunner,
  { id, asked: times }: Pick<Doubtful, "id" | "asked">,
  answer: Answer,
  mostTries: number,
  delay: Millis,
): Promise<"ended" | "again" | "resend" | "stale"> => {
  const candidates = answer.kind === "found" ? answer.candidates : [];
  const pairs = candidates.flatMap(({ verdict, providerId }) => [verdict, providerId]);
  return text(await scripts.run(script, [id, times, mostTries, delay, answer.kind, ...pairs])) as
    "ended" | "again" | "resend" | "stale";
};
