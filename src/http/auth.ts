/**
 * Who is asking, whether the route is for them, and whether they ask too often. One hook on every route, reading what
 * the route declares: nothing here looks at a path, which `//`, `;x` and `%2e` write in many ways.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { forbidden, invalidField, notFound, tooManyRequests, unauthenticated } from "../domain/errors.ts";
import type { Account } from "../accounts/account.ts";
import type { Access, App, Caller } from "./access.ts";
import { isFromLoopback } from "../domain/loopback.ts";
import { addressBucket, createRequestLimit, type RequestLimit } from "./request-limit.ts";
import type { ServerOptions, Services } from "./services.ts";

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();

/** The token; "" for a header of another form; null without one. */
const bearer = (header: string | undefined): string | null =>
  header === undefined ? null : (/^bearer +([\x21-\x7e]{1,512})$/i.exec(header)?.[1] ?? "");

const NEEDS_A_KEY: ReadonlySet<Access> = new Set(["operator", "account", "account-or-operator"]);

const take = (limit: RequestLimit, caller: string): void => {
  const seconds = limit.take(caller);
  if (seconds > 0) throw tooManyRequests(seconds);
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
};

export const authenticate = (app: App, services: Services, options: ServerOptions): void => {
  const adminDigest = sha256(services.adminKey);
  const limit = createRequestLimit(services.clock, options.requestLimit ?? { perSecond: 600, burst: 1_200 });

  const whoAsks = async (token: string | null, access: Access, request: FastifyRequest): Promise<Caller> => {
    // Over digests, which have one length, whatever was sent.
    if (token !== null && timingSafeEqual(sha256(token), adminDigest)) return { kind: "operator" };
    if (request.routeOptions.config.unlimited === true) return { kind: "nobody" };
    const address = addressBucket(request.ip);
    if (!NEEDS_A_KEY.has(access)) {
      take(limit, address);
      return { kind: "nobody" };
    }
    // Guesses are counted by address, apart from all else that comes from it, and cost Redis nothing once they are many.
    const guesses = `guesses ${address}`;
    const seconds = limit.ask(guesses);
    if (seconds > 0) throw tooManyRequests(seconds);
    const key = token === null || token === "" ? null : await services.keys.authenticate(token);
    if (key === null) {
      take(limit, guesses);
      throw unauthenticated(
        token === null
          ? "expected a header `Authorization: Bearer <key>`"
          : "this key is unknown, malformed or revoked",
      );
    }
    take(limit, `key:${key.id}`);
    return { kind: "account", account: key.account, key: key.id };
  };

  app.decorateRequest("caller", null);
  app.addHook("onRequest", async (request) => {
    const access = request.is404 ? "anyone" : request.routeOptions.config.access;
    // server.ts refuses to start with such a route: this is for the day somebody changes that.
    if (access === undefined) throw forbidden("this route says nothing about who may call it");
    request.caller = await whoAsks(bearer(request.headers.authorization), access, request);
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
