/** Lines of the audit as scripts take them: see scripts/lib/audit.lua. */
import type { AuditNote } from "../domain/audit.ts";

export const auditArguments = (notes: readonly AuditNote[]): readonly (string | number)[] => [
  notes.length,
  ...notes.flatMap(({ id, account, who, what, from, to }) => [
    id,
    account ?? "",
    JSON.stringify({ by: who.by, request_id: who.requestId, account, what, from, to }),
  ]),
];
