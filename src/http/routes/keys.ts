import { Type } from "typebox";
import { parseApiLimit } from "../../domain/api-limit-rules.ts";
import { invalidFields, notFound } from "../../domain/errors.ts";
import type { App } from "../access.ts";
import { keyJson } from "../present/account.ts";
import * as schemas from "../schemas/account.ts";
import { IdInPath } from "../schemas/parts.ts";
import { problems } from "../schemas/problem.ts";
import type { Account } from "../../accounts/account.ts";
import type { Services } from "../services.ts";

const config = { access: "operator" } as const;
const tags = ["API keys"];

export const keyRoutes = (app: App, { accounts, keys }: Services): void => {
  const theAccount = async (id: string): Promise<Account> => {
    const account = await accounts.get(id);
    if (account === null) throw notFound("such account");
    return account;
  };

  app.post(
    "/v1/accounts/:id/keys",
    {
      config,
      schema: {
        tags,
        summary: "Make a key, which is shown this once",
        params: IdInPath,
        body: schemas.NewKey,
        response: { 201: schemas.CreatedKey, ...problems },
      },
    },
    async ({ params, body }, reply) => {
      const limit = body.api_limit === undefined ? null : parseApiLimit(body.api_limit, "api_limit");
      if (limit !== null && "errors" in limit) throw invalidFields(limit.errors);
      const account = await theAccount(params.id);
      const created = await keys.create(params.id, {
        ...(body.name === undefined ? {} : { name: body.name }),
        ...(limit === null ? {} : limit),
      });
      if (created === null) throw notFound("such account");
      return reply.code(201).send({ ...keyJson(created.record, account.timezone), key: created.key });
    },
  );

  app.get(
    "/v1/accounts/:id/keys",
    {
      config,
      schema: { tags, summary: "An account's keys", params: IdInPath, response: { 200: schemas.ApiKeys, ...problems } },
    },
    async ({ params }) => {
      const account = await theAccount(params.id);
      const records = await keys.list(params.id);
      return { items: records.map((key) => keyJson(key, account.timezone)), next_cursor: null };
    },
  );

  app.get(
    "/v1/accounts/:id/keys/:key",
    {
      config,
      schema: { tags, summary: "One key", params: schemas.KeyPath, response: { 200: schemas.ApiKey, ...problems } },
    },
    async ({ params }) => {
      const account = await theAccount(params.id);
      const record = (await keys.list(params.id)).find((key) => key.id === params.key);
      if (record === undefined) throw notFound("such key");
      return keyJson(record, account.timezone);
    },
  );

  app.delete(
    "/v1/accounts/:id/keys/:key",
    {
      config,
      schema: {
        tags,
        summary: "Revoke a key, at once",
        params: schemas.KeyPath,
        response: { 204: Type.Null({ description: "Revoked" }), ...problems },
      },
    },
    async ({ params }, reply) => {
      if (!(await keys.revoke(params.id, params.key))) throw notFound("such key");
      return reply.code(204).send(null);
    },
  );
};
