/**
 * Who is asking, and whether the route is for them. One hook on every route, reading what
 * the route declares: nothing here looks at a path, which `//`, `;x` and `%2e` write in many ways.
 */
import type { FastifyRequest } from "fastify";
import type { Account } from "../accounts/account.ts";
import type { KnownKey } from "../accounts/api-key.ts";
import { digestOf, isSameDigest } from "../accounts/key-text.ts";
import { looksLikeAccessToken } from "../accounts/token.ts";
import {
  forbidden,
  insufficientScope,
  invalidField,
  invalidToken,
  notFound,
  tooManyRequests,
  unauthenticated,
  type SluiceError,
} from "../domain/errors.ts";
import { scopeText } from "../domain/key-scope.ts";
import type { Access, App, Caller } from "./access.ts";
import { isFromLoopback } from "../domain/loopback.ts";
import { clientAddress } from "../ratelimit/client-address.ts";
import { guessLimit } from "./guess-limit.ts";
import type { ServerOptions, Services } from "./services.ts";

/** The credential; "" for a header of another form; null without one. An access token has some 500 characters. */
export const bearer = (header: string | undefined): string | null =>
  header === undefined ? null : (/^bearer +([\x21-\x7e]{1,2048})$/i.exec(header)?.[1] ?? "");

const NEEDS_A_KEY: ReadonlySet<Access> = new Set(["operator", "account", "account-or-operator"]);

/** One round trip for either: the key is looked up again, so that neither outlives it. */
const keyOf = ({ keys, tokens }: Services, credential: string, digest: string): Promise<KnownKey | null> =>
  looksLikeAccessToken(credential) ? tokens.authenticate(credential) : keys.authenticate(credential, digest);

const refusalOf = (credential: string | null): SluiceError => {
  if (credential === null) return unauthenticated("expected a header `Authorization: Bearer <key or token>`");
  return looksLikeAccessToken(credential)
    ? invalidToken(
        "this access token is malformed or expired, or its key was revoked: refresh it, or exchange the key again",
      )
    : unauthenticated("this key is unknown, malformed, expired or revoked");
};

const admit = (caller: Caller, access: Access, request: FastifyRequest): void => {
  if (access === "loopback-or-operator") {
    if (caller.kind !== "operator" && !isFromLoopback(request.raw))
      throw forbidden("expected the operator's key, or a request from this machine to a loopback address");
    return;
  }
  if (access === "operator" && caller.kind === "account")
    throw forbidden("expected the operator's key, got an account's");
  if (access === "account" && caller.kind === "operator")
    throw forbidden("expected an account's key, got the operator's: an account does this for itself");
  const { scope } = request.routeOptions.config;
  if (caller.kind === "account" && scope !== undefined && !caller.scopes.includes(scope))
    throw insufficientScope(scope, scopeText(caller.scopes));
};

export const authenticate = (app: App, services: Services, options: ServerOptions): void => {
  const adminDigest = digestOf(services.adminKey);
  const guesses = guessLimit(services.clock, options.guessLimit ?? { perSecond: 600, burst: 1_200 });

  /** Guesses count as any other request of an address (limits.ts). Once they are a flood, they cost Redis nothing. */
  const hearGuess = (ip: string): void => {
    const seconds = guesses.isUntouched() ? 0 : guesses.ask(clientAddress(ip));
    if (seconds > 0) throw tooManyRequests(seconds);
  };
  const guessed = (token: string | null, ip: string): SluiceError => {
    guesses.take(clientAddress(ip));
    return refusalOf(token);
  };

  app.decorateRequest("caller", null);
  // Every request passes here, and each function that only waits for another costs it a promise: so this is one.
  app.addHook("onRequest", async (request) => {
    const access = request.is404 ? "anyone" : request.routeOptions.config.access;
    // server.ts refuses to start with such a route: this is for the day somebody changes that.
    if (access === undefined) throw forbidden("this route says nothing about who may call it");
    const token = bearer(request.headers.authorization);
    const digest = token === null ? "" : digestOf(token);
    if (token !== null && isSameDigest(digest, adminDigest)) request.caller = { kind: "operator" };
    else if (request.routeOptions.config.unlimited === true || !NEEDS_A_KEY.has(access))
      request.caller = { kind: "nobody" };
    else {
      hearGuess(request.ip);
      const key = token === null || token === "" ? null : await keyOf(services, token, digest);
      if (key === null) throw guessed(token, request.ip);
      request.caller = { kind: "account", account: key.account, key: key.id, scopes: key.scopes, limits: key.limits };
    }
    admit(request.caller, access, request);
  });
};

/** The account whose key this is. For routes that are for accounts alone. */
export const ownAccount = (request: FastifyRequest): string => {
  if (request.caller?.kind === "account") return request.caller.account;
  throw forbidden("expected an account's key");
};

/** The account that is looked at: the key's own, or the one the operator names. Null: the operator named none. */
export const namedAccount = async (
  services: Services,
  request: FastifyRequest,
  named: string | undefined,
): Promise<Account | null> => {
  const { caller } = request;
  const id = caller?.kind === "account" ? caller.account : named;
  if (id === undefined) return null;
  const account = named === undefined || named === id ? await services.accounts.get(id) : null;
  if (account === null) throw notFound("such account");
  return account;
};

export const lookedAtAccount = async (
  services: Services,
  request: FastifyRequest,
  named: string | undefined,
): Promise<Account> => {
  const account = await namedAccount(services, request, named);
  if (account === null)
    throw invalidField("account_id", "the account to look at, such as ?account_id=acc_…", undefined);
  return account;
};
