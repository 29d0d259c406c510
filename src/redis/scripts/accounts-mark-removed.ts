import type { AuditNote } from "../../domain/audit.ts";
import { auditArguments } from "../audit-arguments.ts";
import { number } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export type Marked =
  { readonly kind: "unknown" } | { readonly kind: "marked" } | { readonly kind: "not_empty"; readonly open: number };

export const markRemoved = async (
  scripts: ScriptRunner,
  account: string,
  force: boolean,
  notes: readonly AuditNote[] = [],
): Promise<Marked> => {
  const open = number(await scripts.run(script, [account, force ? 1 : 0, ...auditArguments(notes)]));
  if (open === -1) return { kind: "unknown" };
  return open === -2 ? { kind: "marked" } : { kind: "not_empty", open };
};
