/** Lines of one list are of accounts in many zones: all of it in UTC. */
import type { AuditLine } from "../../accounts/audit.ts";
import { instant } from "../../domain/time.ts";
import { formatUtc } from "../../domain/timestamp.ts";

/** A key's end is kept as a number. */
const told = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value;
  const { expires_at: at } = value as { expires_at?: unknown };
  return typeof at === "number" ? { ...value, expires_at: formatUtc(instant(at)) } : value;
};

export const auditJson = ({ id, at, by, account, what, from, to, requestId }: AuditLine) => ({
  id,
  at: formatUtc(at),
  by,
  account_id: account,
  what,
  from: told(from),
  to: told(to),
  request_id: requestId,
});
