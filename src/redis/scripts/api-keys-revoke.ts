import type { AuditNote } from "../../domain/audit.ts";
import { auditArguments } from "../audit-arguments.ts";
import { number } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";
import { keyChangeOf, type KeyChange } from "./api-keys-patch.ts";

const script = loadScript(import.meta.url);

export const revokeApiKey = async (
  scripts: ScriptRunner,
  account: string,
  id: string,
  seen: number,
  notes: readonly AuditNote[] = [],
): Promise<KeyChange> => keyChangeOf(number(await scripts.run(script, [account, id, seen, ...auditArguments(notes)])));
