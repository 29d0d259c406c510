import { Type, type Static } from "typebox";
import { KEY_SCOPES } from "../../domain/key-scope.ts";
import { ApiLimit, ApiLimitOrNull, Name } from "./account.ts";
import { Closed, Id, Moment, MomentOrNull, orNull, PageOf, Time } from "./parts.ts";

/** Thirty days: who has not changed over by then will not. */
export const LONGEST_OVERLAP_SECONDS = 30 * 86_400;
export const DEFAULT_OVERLAP_SECONDS = 86_400;

const Scopes = Type.Array(Type.Enum([...KEY_SCOPES]), {
  minItems: 1,
  maxItems: KEY_SCOPES.length,
  uniqueItems: true,
  description: "send and read when absent; admin manages the account's keys",
});

export const NewKey = Closed({
  name: Type.Optional(Name),
  scopes: Type.Optional(Scopes),
  api_limit: Type.Optional(ApiLimit),
  expires_at: Type.Optional(Time),
});

export const KeyPatch = Type.Object(
  {
    name: Type.Optional(orNull(Name)),
    scopes: Type.Optional(Scopes),
    api_limit: Type.Optional(ApiLimitOrNull),
    expires_at: Type.Optional(orNull(Time)),
  },
  { additionalProperties: false, minProperties: 1, description: "What is absent stays; null takes away" },
);

export const Rotation = Closed({
  overlap: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: LONGEST_OVERLAP_SECONDS,
      description: `Seconds for which the old key still holds; ${DEFAULT_OVERLAP_SECONDS} when absent`,
    }),
  ),
});

const keyFields = {
  id: Id("key"),
  account_id: Id("acc"),
  name: orNull(Type.String()),
  scopes: Scopes,
  api_limit: ApiLimitOrNull,
  hint: Type.String({ description: "How the key begins" }),
  expires_at: MomentOrNull,
  last_used_at: orNull(Type.String({ description: "To the minute" })),
  replaced_by: orNull(Id("key")),
  created_at: Moment,
};
export const ApiKey = Closed(keyFields);
export type ApiKey = Static<typeof ApiKey>;
const secret = { key: Type.String({ description: "Shown this once" }) };
export const CreatedKey = Closed({ ...keyFields, ...secret });
export const RotatedKey = Closed({ ...keyFields, ...secret, old_key: Closed({ id: Id("key"), expires_at: Moment }) });
export const ApiKeys = PageOf(ApiKey);
export const KeyPath = Closed({ id: Type.String(), key: Type.String() });
