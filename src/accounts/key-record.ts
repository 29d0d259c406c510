/** An API key as it stands in Redis: text fields of one hash. */
import { scopesIn, scopeText } from "../domain/key-scope.ts";
import { instant, type Instant } from "../domain/time.ts";
import type { ApiKey } from "./api-key.ts";
import { limitIn } from "./api-limits.ts";

type Fields = Readonly<Record<string, string>>;

/** What may be changed of it. */
export const changeableFields = ({ name, apiLimit, scopes, expiresAt }: ApiKey): Fields => ({
  name: name ?? "",
  api_limit: apiLimit ? JSON.stringify(apiLimit) : "",
  scopes: scopeText(scopes),
  expires_at: expiresAt === null ? "" : String(expiresAt),
});

export const toFields = (record: ApiKey, digest: string): Fields => ({
  digest,
  ...changeableFields(record),
  created_at: String(record.createdAt),
  hint: record.hint,
});

const momentIn = (text: string | undefined): Instant | null => (text ? instant(Number(text)) : null);

export const fromFields = (id: string, fields: Fields): ApiKey => ({
  id,
  account: fields["account"] ?? "",
  name: fields["name"] || null,
  // A key of before there were scopes could send and look.
  scopes: scopesIn(fields["scopes"] ?? "send read"),
  apiLimit: limitIn(fields["api_limit"]),
  expiresAt: momentIn(fields["expires_at"]),
  lastUsedAt: momentIn(fields["last_used_at"]),
  replacedBy: fields["replaced_by"] ?? null,
  createdAt: instant(Number(fields["created_at"])),
  hint: fields["hint"] ?? "",
});

/** What the audit keeps of a key: everything but what it is recognised by and when it was used. */
export const keyInAudit = ({ id, name, scopes, apiLimit, expiresAt }: ApiKey) => ({
  id,
  name,
  scopes,
  api_limit: apiLimit,
  expires_at: expiresAt,
});
