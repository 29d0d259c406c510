import type { AuditNote } from "../../domain/audit.ts";
import { auditArguments } from "../audit-arguments.ts";
import { number, text } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export interface PlanWrite {
  readonly name: string;
  /** As it is kept: JSON; "" for none. */
  readonly seen: string;
  readonly json: string;
}

export type PlansWritten =
  { readonly kind: "done" | "changed" } | { readonly kind: "in_use"; readonly name: string; readonly accounts: number };

export const writePlans = async (
  scripts: ScriptRunner,
  plans: readonly PlanWrite[],
  notes: readonly AuditNote[],
): Promise<PlansWritten> => {
  const triples = plans.flatMap(({ name, seen, json }) => [name, seen, json]);
  const reply = await scripts.run(script, [...auditArguments(notes), ...triples]);
  if (Array.isArray(reply)) return { kind: "in_use", name: text(reply[1]), accounts: number(reply[2]) };
  return { kind: reply === "done" ? "done" : "changed" };
};
