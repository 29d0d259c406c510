import type { AuditNote } from "../../domain/audit.ts";
import { auditArguments } from "../audit-arguments.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** False: there is no such account, or it is being removed. */
export const addApiKey = async (
  scripts: ScriptRunner,
  account: string,
  id: string,
  fields: Readonly<Record<string, string>>,
  notes: readonly AuditNote[] = [],
): Promise<boolean> =>
  (await scripts.run(script, [account, id, ...auditArguments(notes), ...Object.entries(fields).flat()])) === 1;
