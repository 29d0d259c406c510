import type { AuditNote } from "../../domain/audit.ts";
import { auditArguments } from "../audit-arguments.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/**
 * @param name `<channel>:<sender>`
 * @param rule JSON; null: there is none
 * @returns false: the account is not, or no longer, this caller's to change
 */
export const writeSender = async (
  scripts: ScriptRunner,
  { account, token, name, rule }: { account: string; token: string; name: string; rule: string | null },
  notes: readonly AuditNote[],
): Promise<boolean> => (await scripts.run(script, [account, token, name, rule ?? "", ...auditArguments(notes)])) === 1;
