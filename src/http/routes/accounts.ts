import { Type } from "typebox";
import { parseAccount, parseAccountPatch } from "../../domain/account-rules.ts";
import { invalidFields, notFound } from "../../domain/errors.ts";
import { whoOf, type App } from "../access.ts";
import { cursorFrom, DEFAULT_PAGE, readCursor } from "../cursor.ts";
import { accountJson, zoneChangeJson } from "../present/account.ts";
import * as schemas from "../schemas/account.ts";
import { IdInPath } from "../schemas/parts.ts";
import { problems } from "../schemas/problem.ts";
import type { Services } from "../services.ts";

const config = { access: "operator" } as const;
const tags = ["Accounts"];

export const accountRoutes = (app: App, { accounts, plans }: Services): void => {
  const planNames = async (): Promise<readonly string[]> => (await plans.list()).map(({ name }) => name);

  app.post(
    "/v1/accounts",
    {
      config,
      schema: {
        tags,
        operationId: "createAccount",
        summary: "Make an account",
        body: schemas.NewAccount,
        response: { 201: schemas.Account, ...problems },
      },
    },
    async (request, reply) => {
      const read = parseAccount(request.body, "", await planNames());
      if ("errors" in read) throw invalidFields(read.errors);
      const { plan, weight, ...rest } = read.account;
      const stated = {
        ...rest,
        // null is none, which is what a new account has.
        ...(plan === undefined || plan === null ? {} : { plan }),
        ...(weight === undefined || weight === null ? {} : { weight }),
      };
      const created = await accounts.create(stated, whoOf(request));
      return reply.code(201).header("Location", `/v1/accounts/${created.id}`).send(accountJson(created));
    },
  );

  app.get(
    "/v1/accounts",
    {
      config,
      schema: {
        tags,
        operationId: "listAccounts",
        summary: "List accounts, oldest first",
        querystring: schemas.ListQuery,
        response: { 200: schemas.AccountPage, ...problems },
      },
    },
    async ({ query }) => {
      const page = await accounts.list(readCursor("accounts", query.cursor), query.limit ?? DEFAULT_PAGE);
      return { items: page.items.map(accountJson), next_cursor: cursorFrom("accounts", page.nextCursor) };
    },
  );

  app.get(
    "/v1/accounts/:id",
    {
      config,
      schema: {
        tags,
        operationId: "getAccount",
        summary: "One account",
        params: IdInPath,
        response: { 200: schemas.Account, ...problems },
      },
    },
    async ({ params }) => {
      const account = await accounts.get(params.id);
      if (account === null) throw notFound("such account");
      return accountJson(account);
    },
  );

  app.patch(
    "/v1/accounts/:id",
    {
      config,
      schema: {
        tags,
        operationId: "updateAccount",
        summary: "Change an account: what is absent stays; null takes plan, weight and API limits away",
        params: IdInPath,
        body: schemas.AccountPatch,
        response: { 200: schemas.PatchedAccount, ...problems },
      },
    },
    async (request) => {
      const { params, body } = request;
      const read = parseAccountPatch(body, "", await planNames());
      if ("errors" in read) throw invalidFields(read.errors);
      const patched = await accounts.patch(params.id, read.patch, whoOf(request));
      if (patched === null) throw notFound("such account");
      const { account, zoneChange } = patched;
      return {
        ...accountJson(account),
        ...(zoneChange === null ? {} : { effective_from: zoneChangeJson(zoneChange, account.timezone) }),
      };
    },
  );

  app.delete(
    "/v1/accounts/:id",
    {
      config,
      schema: {
        tags,
        operationId: "removeAccount",
        summary: "Take an account away, once nothing waits or with force=true",
        params: IdInPath,
        querystring: schemas.RemoveQuery,
        response: {
          202: schemas.Removing,
          204: Type.Null({ description: "Gone" }),
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { params, query } = request;
      const removed = await accounts.remove(params.id, query.force ?? false, whoOf(request));
      if (removed === "unknown") throw notFound("such account");
      if (removed === "removing") return reply.code(202).send({ id: params.id, status: removed });
      return reply.code(204).send(null);
    },
  );
};
