import type { ApiKey as TheKey } from "../../accounts/api-key.ts";
import type { Instant } from "../../domain/time.ts";
import { formatIn } from "../../domain/timestamp.ts";

const moment = (at: Instant | null, zone: string): string | null => (at === null ? null : formatIn(at, zone));

export const keyJson = (key: TheKey, zone: string) => ({
  id: key.id,
  account_id: key.account,
  name: key.name,
  scopes: [...key.scopes],
  api_limit: key.apiLimit,
  hint: key.hint,
  expires_at: moment(key.expiresAt, zone),
  last_used_at: moment(key.lastUsedAt, zone),
  replaced_by: key.replacedBy,
  created_at: formatIn(key.createdAt, zone),
});
