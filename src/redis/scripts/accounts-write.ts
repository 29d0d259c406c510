import type { AuditNote } from "../../domain/audit.ts";
import { auditArguments } from "../audit-arguments.ts";
import { number } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** `not_taken`: the account is not, or no longer, this caller's to change. `no_plan`: its plan was removed meanwhile. */
export type Written = "written" | "not_taken" | "no_plan";

export const writeAccount = async (
  scripts: ScriptRunner,
  account: string,
  token: string,
  fields: Readonly<Record<string, string>>,
  notes: readonly AuditNote[] = [],
): Promise<Written> => {
  const reply = number(
    await scripts.run(script, [account, token, ...auditArguments(notes), ...Object.entries(fields).flat()]),
  );
  return reply === 1 ? "written" : reply === 0 ? "not_taken" : "no_plan";
};
