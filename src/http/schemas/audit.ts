import { Type } from "typebox";
import { CHANGES } from "../../domain/audit.ts";
import { AccountId, Closed, Cursor, Id, Limit, orNull, PageOf } from "./parts.ts";

const What = Type.Enum([...CHANGES]);
const Value = Type.Unsafe<unknown>({ description: "null: there was nothing, or there is nothing any more" });

export const AuditQuery = Closed({
  account_id: Type.Optional(AccountId),
  what: Type.Optional(What),
  cursor: Type.Optional(Cursor),
  limit: Type.Optional(Limit),
});

export const AuditLine = Closed({
  id: Id("evt"),
  at: Type.String({ description: "RFC 3339, UTC" }),
  by: Closed(
    { kind: Type.Enum(["operator", "account", "system"]), key: Type.Optional(Id("key")) },
    "system: the seed file, at start",
  ),
  account_id: orNull(Id("acc")),
  what: What,
  from: Value,
  to: Value,
  request_id: orNull(Type.String()),
});
export const AuditPage = PageOf(AuditLine);
