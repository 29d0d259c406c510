import { Type } from "typebox";
import { KEY_SCOPES } from "../../domain/key-scope.ts";
import { Closed } from "./parts.ts";

const Scope = Type.String({ description: `Some of ${KEY_SCOPES.join(", ")}, with single spaces between them` });

export const TokenRequest = Closed(
  {
    api_key: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 2_048,
        description: "Where it is not shown as Authorization: Bearer sk_…",
      }),
    ),
    scope: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: "All of the key's when absent" })),
  },
  "Either this or the header has the API key",
);

export const RefreshRequest = Closed({ refresh_token: Type.String({ minLength: 1, maxLength: 2_048 }) });

export const Token = Closed(
  {
    access_token: Type.String({ description: "A JWT; to be shown as Authorization: Bearer …" }),
    token_type: Type.Enum(["Bearer"]),
    expires_in: Type.Integer({ description: "Seconds" }),
    refresh_token: Type.String({ description: "Good for one refresh" }),
    refresh_expires_in: Type.Integer({ description: "Seconds" }),
    scope: Scope,
  },
  "What a key does, for a quarter of an hour",
);
