import type { AuditLine } from "../../accounts/audit.ts";
import { instant } from "../../domain/time.ts";
import { formatIn } from "../../domain/timestamp.ts";

/** Lines of one list are of accounts in many zones: all of it in UTC. */
const ZONE = "UTC";

/** A key's end is kept as a number. */
const told = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value;
  const { expires_at: at } = value as { expires_at?: unknown };
  return typeof at === "number" ? { ...value, expires_at: formatIn(instant(at), ZONE) } : value;
};

export const auditJson = ({ id, at, by, account, what, from, to, requestId }: AuditLine) => ({
  id,
  at: formatIn(at, ZONE),
  by,
  account_id: account,
  what,
  from: told(from),
  to: told(to),
  request_id: requestId,
});
