/** API keys: the operator's to give, and an account's own to manage by those of its keys that have the scope `admin`. */
import type { FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { Account } from "../../accounts/account.ts";
import type { ApiKey, NewApiKey } from "../../accounts/api-key.ts";
import type { ApiLimit } from "../../domain/api-limit-rules.ts";
import { isWithin, limitOfKey } from "../../accounts/api-limits.ts";
import { parseApiLimit } from "../../domain/api-limit-rules.ts";
import {
  forbidden,
  insufficientScope,
  invalidField,
  invalidFields,
  notFound,
  unauthenticated,
} from "../../domain/errors.ts";
import type { Problems } from "../../domain/expecting.ts";
import { DEFAULT_SCOPES, scopeText, type KeyScope } from "../../domain/key-scope.ts";
import { seconds, type Instant } from "../../domain/time.ts";
import { whoOf, type App } from "../access.ts";
import { readTime } from "../draft/timing.ts";
import { formatIn } from "../../domain/timestamp.ts";
import { keyJson } from "../present/key.ts";
import * as schemas from "../schemas/key.ts";
import { IdInPath, NoQuery } from "../schemas/parts.ts";
import { problems } from "../schemas/problem.ts";
import type { Services } from "../services.ts";

const config = { access: "account-or-operator", scope: "admin" } as const;
const tags = ["API keys"];

const limitIn = (given: unknown): ApiLimit => {
  const read = parseApiLimit(given, "api_limit");
  if ("errors" in read) throw invalidFields(read.errors);
  return read.apiLimit;
};

const momentIn = (given: string): Instant => {
  const wrong: Problems = [];
  const at = readTime(given, "expires_at", wrong);
  if (at === undefined) throw invalidFields(wrong);
  return at;
};

/** An account's key gives no scope that it lacks. */
const withinItsScopes = (request: FastifyRequest, scopes: readonly KeyScope[] | undefined): void => {
  const { caller } = request;
  if (caller?.kind !== "account") return;
  const missing = scopes?.find((scope) => !caller.scopes.includes(scope));
  if (missing !== undefined) throw insufficientScope(missing, scopeText(caller.scopes));
};

const operatorsAlone = (request: FastifyRequest, field: string, given: unknown): void => {
  if (given !== undefined && request.caller?.kind === "account")
    throw forbidden(`expected no ${field}: it is the operator's to set`);
};

export const keyRoutes = (app: App, { accounts, keys, looking }: Services): void => {
  const theAccount = async (request: FastifyRequest, id: string): Promise<Account> => {
    const { caller } = request;
    const account = caller?.kind === "account" && caller.account !== id ? null : await accounts.get(id);
    if (account === null) throw notFound("such account");
    return account;
  };
  const inTheFuture = async (given: string): Promise<Instant> => {
    const at = momentIn(given);
    if (at <= (await looking.now())) throw invalidField("expires_at", "a time that is still to come", given);
    return at;
  };
  /** What a key that is made by another starts from: it may not do more requests, nor live longer. */
  const fromItsMaker = async ({ caller }: FastifyRequest): Promise<NewApiKey> => {
    if (caller?.kind !== "account") return {};
    const maker = await keys.get(caller.account, caller.key);
    // Revoked since it was let in: nothing would bound what it makes.
    if (maker === null) throw unauthenticated("this key has been revoked");
    return {
      ...(maker.apiLimit ? { apiLimit: maker.apiLimit } : {}),
      ...(maker.expiresAt ? { expiresAt: maker.expiresAt } : {}),
    };
  };
  const withinItsLife = async (request: FastifyRequest, at: Instant | null | undefined): Promise<void> => {
    const { expiresAt: last } = await fromItsMaker(request);
    if (at === undefined || last === undefined || (at !== null && at <= last)) return;
    throw invalidField(
      "expires_at",
      "a time at which the key that asks for this still holds",
      at === null ? at : formatIn(at, "UTC"),
    );
  };

  /** A key that is made anew in the place of another may do what that one may: not for one that may do less itself. */
  const withinItsBounds = async (request: FastifyRequest, old: ApiKey): Promise<void> => {
    const { expiresAt: last } = await fromItsMaker(request);
    if (last !== undefined && last !== null && (old.expiresAt === null || old.expiresAt > last))
      throw forbidden("expected a key that expires no later than the one that asks for this");
    if (request.caller?.kind !== "account") return;
    // Whoever states none of its own is bound by its account's or its plan's.
    const { limits } = request.caller;
    if (!isWithin(limitOfKey({ ...limits, key: old.apiLimit }), limitOfKey(limits)))
      throw forbidden("expected a key whose api_limit allows no more than what holds for the one that asks for this");
  };

  app.post(
    "/v1/accounts/:id/keys",
    {
      config,
      schema: {
        tags,
        operationId: "createKey",
        summary: "Make a key, which is shown this once",
        params: IdInPath,
        body: schemas.NewKey,
        response: { 201: schemas.CreatedKey, ...problems },
      },
    },
    async (request, reply) => {
      const { params, body } = request;
      const account = await theAccount(request, params.id);
      const { name, scopes, api_limit, expires_at } = body;
      operatorsAlone(request, "api_limit", api_limit);
      withinItsScopes(request, scopes ?? DEFAULT_SCOPES);
      const expiresAt = expires_at === undefined ? undefined : await inTheFuture(expires_at);
      await withinItsLife(request, expiresAt);
      const stated = {
        ...(await fromItsMaker(request)),
        ...(name === undefined ? {} : { name }),
        ...(scopes === undefined ? {} : { scopes }),
        ...(api_limit === undefined ? {} : { apiLimit: limitIn(api_limit) }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
      };
      const created = await keys.create(params.id, stated, whoOf(request));
      if (created === null) throw notFound("such account");
      return reply.code(201).send({ ...keyJson(created.record, account.timezone), key: created.key });
    },
  );

  app.get(
    "/v1/accounts/:id/keys",
    {
      config,
      schema: {
        tags,
        operationId: "listKeys",
        summary: "An account's keys",
        params: IdInPath,
        querystring: NoQuery,
        response: { 200: schemas.ApiKeys, ...problems },
      },
    },
    async (request) => {
      const account = await theAccount(request, request.params.id);
      const records = await keys.list(account.id);
      return { items: records.map((key) => keyJson(key, account.timezone)), next_cursor: null };
    },
  );

  app.get(
    "/v1/accounts/:id/keys/:key",
    {
      config,
      schema: {
        tags,
        operationId: "getKey",
        summary: "One key",
        params: schemas.KeyPath,
        response: { 200: schemas.ApiKey, ...problems },
      },
    },
    async (request) => {
      const account = await theAccount(request, request.params.id);
      const record = await keys.get(account.id, request.params.key);
      if (record === null) throw notFound("such key");
      return keyJson(record, account.timezone);
    },
  );

  app.patch(
    "/v1/accounts/:id/keys/:key",
    {
      config,
      schema: {
        tags,
        operationId: "updateKey",
        summary: "Change a key, at once and for its tokens too: what is absent stays",
        params: schemas.KeyPath,
        body: schemas.KeyPatch,
        response: { 200: schemas.ApiKey, ...problems },
      },
    },
    async (request) => {
      const { params, body } = request;
      const account = await theAccount(request, params.id);
      const { name, scopes, api_limit, expires_at } = body;
      operatorsAlone(request, "api_limit", api_limit);
      withinItsScopes(request, scopes);
      const expiresAt = typeof expires_at === "string" ? momentIn(expires_at) : expires_at;
      await withinItsLife(request, expiresAt);
      const patch = {
        ...(name === undefined ? {} : { name }),
        ...(scopes === undefined ? {} : { scopes }),
        ...(api_limit === undefined ? {} : { apiLimit: api_limit === null ? null : limitIn(api_limit) }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
      };
      const record = await keys.patch(account.id, params.key, patch, whoOf(request));
      if (record === null) throw notFound("such key");
      return keyJson(record, account.timezone);
    },
  );

  app.post(
    "/v1/accounts/:id/keys/:key/rotate",
    {
      config: { ...config, bodyOptional: true },
      schema: {
        tags,
        operationId: "rotateKey",
        summary: "Make a key in the place of one, which dies after an overlap",
        params: schemas.KeyPath,
        body: schemas.Rotation,
        response: { 201: schemas.RotatedKey, ...problems },
      },
    },
    async (request, reply) => {
      const { params, body } = request;
      const account = await theAccount(request, params.id);
      const overlap = seconds(body.overlap ?? schemas.DEFAULT_OVERLAP_SECONDS);
      const judge = async (old: ApiKey): Promise<void> => {
        withinItsScopes(request, old.scopes);
        await withinItsBounds(request, old);
      };
      const rotated = await keys.rotate(account.id, params.key, overlap, whoOf(request), judge);
      if (rotated === null) throw notFound("such key");
      const { record, key, oldExpiresAt } = rotated;
      const old_key = { id: params.key, expires_at: formatIn(oldExpiresAt, account.timezone) };
      return reply.code(201).send({ ...keyJson(record, account.timezone), key, old_key });
    },
  );

  app.delete(
    "/v1/accounts/:id/keys/:key",
    {
      config,
      schema: {
        tags,
        operationId: "revokeKey",
        summary: "Revoke a key and its tokens, at once",
        params: schemas.KeyPath,
        response: { 204: Type.Null({ description: "Revoked" }), ...problems },
      },
    },
    async (request, reply) => {
      const account = await theAccount(request, request.params.id);
      if (!(await keys.revoke(account.id, request.params.key, whoOf(request)))) throw notFound("such key");
      return reply.code(204).send(null);
    },
  );
};
