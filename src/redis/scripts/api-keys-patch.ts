import type { AuditNote } from "../../domain/audit.ts";
import { auditArguments } from "../audit-arguments.ts";
import { number } from "../reply.ts";
import { loadScript, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

/** `changed`: somebody else has changed it since it was seen. */
export type KeyChange = "done" | "unknown" | "changed";

export const keyChangeOf = (reply: number): KeyChange => (reply === 1 ? "done" : reply === 0 ? "unknown" : "changed");

export const patchApiKey = async (
  scripts: ScriptRunner,
  account: string,
  id: string,
  seen: number,
  fields: Readonly<Record<string, string>>,
  notes: readonly AuditNote[],
): Promise<KeyChange> =>
  keyChangeOf(
    number(await scripts.run(script, [account, id, seen, ...auditArguments(notes), ...Object.entries(fields).flat()])),
  );
