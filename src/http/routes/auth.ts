/** Tokens for API keys. Anyone may ask: what is shown is judged here, and how often it is by the caller's address. */
import type { Grant } from "../../accounts/token.ts";
import { forbidden, invalidField, invalidFields, unauthenticated } from "../../domain/errors.ts";
import type { Problems } from "../../domain/expecting.ts";
import { readScopeText, scopeText, type KeyScope } from "../../domain/key-scope.ts";
import type { App } from "../access.ts";
import { bearer } from "../auth.ts";
import * as schemas from "../schemas/auth.ts";
import { problems } from "../schemas/problem.ts";
import type { Services } from "../services.ts";

const config = { access: "anyone" } as const;
const tags = ["Tokens"];

const tokenJson = ({ accessToken, expiresIn, refreshToken, refreshExpiresIn, scopes }: Grant) => ({
  access_token: accessToken,
  token_type: "Bearer" as const,
  expires_in: Math.floor(expiresIn / 1_000),
  refresh_token: refreshToken,
  refresh_expires_in: Math.floor(refreshExpiresIn / 1_000),
  scope: scopeText(scopes),
});

const scopesIn = (text: string | undefined): readonly KeyScope[] | null => {
  if (text === undefined) return null;
  const wrong: Problems = [];
  const scopes = readScopeText(text, "scope", wrong);
  if (wrong.length > 0) throw invalidFields(wrong);
  return scopes;
};

export const authRoutes = (app: App, { tokens }: Services): void => {
  app.post(
    "/v1/auth/token",
    {
      config: { ...config, bodyOptional: true },
      schema: {
        tags,
        operationId: "exchangeKey",
        summary: "Exchange an API key for an access token and a refresh token",
        body: schemas.TokenRequest,
        response: { 200: schemas.Token, ...problems },
      },
    },
    async (request) => {
      const { api_key, scope } = request.body;
      const shown = bearer(request.headers.authorization);
      if (request.caller?.kind === "operator")
        throw forbidden("expected an account's API key, got the operator's, for which there are no tokens");
      if (shown !== null && api_key !== undefined)
        throw invalidField("api_key", "the key in the header Authorization or in the body, not in both", "both");
      const key = shown ?? api_key;
      if (key === undefined)
        throw unauthenticated("expected an API key: `Authorization: Bearer sk_…`, or `api_key` in the body");
      return tokenJson(await tokens.exchange(key, scopesIn(scope)));
    },
  );

  app.post(
    "/v1/auth/refresh",
    {
      config,
      schema: {
        tags,
        operationId: "refreshToken",
        summary: "Spend a refresh token for new tokens",
        body: schemas.RefreshRequest,
        response: { 200: schemas.Token, ...problems },
      },
    },
    async ({ body }) => tokenJson(await tokens.refresh(body.refresh_token)),
  );
};
