/**
 * Who is asking, and whether the route is for them. One hook on every route, reading what
 * the route declares: nothing here looks at a path, which `//`, `;x` and `%2e` write in many ways.
 */
import type { FastifyRequest } from "fastify";
import type { Account } from "../accounts/account.ts";
import type { LiveKey } from "../accounts/api-key.ts";
import { digestBytes, digestOf, isSameDigest } from "../accounts/key-text.ts";
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
import type { Access, AccountCaller, App, Caller } from "./access.ts";
import { isFromLoopback } from "../domain/loopback.ts";
import { seconds } from "../domain/time.ts";
import { clientAddress } from "../ratelimit/client-address.ts";
import { guessLimit } from "./guess-limit.ts";
import { factsOf } from "./limits.ts";
import type { ServerOptions, Services } from "./services.ts";

/** The credential; "" for a header of another form; null without one. An access token has some 500 characters. */
export const bearer = (header: string | undefined): string | null =>
  header === undefined ? null : (/^bearer +([\x21-\x7e]{1,2048})$/i.exec(header)?.[1] ?? "");

/** A body that is under way for longer than this has its caller looked up again when it is there. */
const LOOKED_LONG_AGO = seconds(1);

const NEEDS_A_KEY: ReadonlySet<Access> = new Set(["operator", "account", "account-or-operator"]);

const callers = new WeakMap<LiveKey, AccountCaller>();

/** The same again for as long as nothing of the key changes. */
const callerOf = (live: LiveKey): AccountCaller => {
  const known = callers.get(live);
  if (known) return known;
  const { account, id: key, scopes, limits } = live;
  const caller = Object.freeze({ kind: "account", account, key, scopes, limits } as const);
  callers.set(live, caller);
  return caller;
};

/**
 * One round trip for either: the key is looked up again, so that neither outlives it. Where the key itself is known here
 * already, the request is held to its limits in the same call, if they are what they were.
 */
const keyOf = async (
  app: App,
  { keys, tokens }: Services,
  request: FastifyRequest,
  credential: string,
  digest: string,
): Promise<LiveKey | null> => {
  if (looksLikeAccessToken(credential)) return tokens.authenticate(credential);
  const entry = await keys.enter(credential, digest, (known) => app.limitsAhead(request, factsOf(callerOf(known))));
  if (entry === null) return null;
  const { key, taken } = entry;
  if (taken !== null) {
    const { facts, rules } = taken.held;
    request.limitsTaken = { facts, rules, admission: taken.admission };
  }
  return key;
};

const refusalOf = (credential: string | null): SluiceError => {
  // Without one, and with one of another form: Basic, or a key alone.
  if (credential === null || credential === "")
    return unauthenticated("expected a header `Authorization: Bearer <key or token>`");
  return looksLikeAccessToken(credential)
    ? invalidToken(
        "this access token is malformed or expired, or its key was revoked: refresh it, or exchange the key again",
      )
    : unauthenticated("this key is unknown, malformed, expired or revoked");
};

/** A route that nobody knows is for anyone. */
const admit = (caller: Caller, request: FastifyRequest): void => {
  const { access, scope } = request.route;
  if (access === "loopback-or-operator") {
    if (caller.kind !== "operator" && !isFromLoopback(request.raw))
      throw forbidden("expected the operator's key, or a request from this machine to a loopback address");
    return;
  }
  if (access === "operator" && caller.kind === "account")
    throw forbidden("expected the operator's key, got an account's");
  if (access === "account" && caller.kind === "operator")
    throw forbidden("expected an account's key, got the operator's: an account does this for itself");
  if (caller.kind === "account" && scope !== undefined && !caller.scopes.includes(scope))
    throw insufficientScope(scope, scopeText(caller.scopes));
};

export const authenticate = (app: App, services: Services, options: ServerOptions): void => {
  const adminDigest = digestBytes(digestOf(services.adminKey));
  const guesses = guessLimit(services.clock, options.guessLimit ?? { perSecond: 600, burst: 1_200 });

  /** Guesses count as any other request of an address (limits.ts). Once they are a flood, they cost Redis nothing. */
  const hearGuess = (request: FastifyRequest): void => {
    const wait = guesses.isUntouched() ? 0 : guesses.ask(clientAddress(request.ip));
    if (wait === 0) return;
    request.limitsAsked = true;
    throw tooManyRequests(wait);
  };
  const guessed = (credential: string | null, ip: string): SluiceError => {
    guesses.take(clientAddress(ip));
    return refusalOf(credential);
  };

  app.decorateRequest("caller", null);
  app.decorateRequest("lookedAt", null);
  // Every request passes here, and each function that only waits for another costs it a promise: so this is one.
  app.addHook("onRequest", async (request) => {
    const access = request.is404 ? "anyone" : request.route.access;
    // server.ts refuses to start with such a route: this is for the day somebody changes that.
    if (access === undefined) throw forbidden("this route says nothing about who may call it");
    const credential = bearer(request.headers.authorization);
    const digest = credential === null ? "" : digestOf(credential);
    if (credential !== null && isSameDigest(adminDigest, digest)) request.caller = { kind: "operator" };
    else if (request.route.unlimited === true || !NEEDS_A_KEY.has(access)) {
      if (credential !== null && access === "loopback-or-operator") {
        hearGuess(request);
        guesses.take(clientAddress(request.ip));
      }
      request.caller = { kind: "nobody" };
    } else {
      hearGuess(request);
      let key: LiveKey | null = null;
      try {
        if (credential !== null && credential !== "") key = await keyOf(app, services, request, credential, digest);
      } catch (error) {
        // Where Redis does not answer nobody knows who asks: it is nobody's request, and not that of its address either.
        request.limitsAsked = true;
        throw error;
      }
      if (key === null) throw guessed(credential, request.ip);
      request.caller = callerOf(key);
      request.lookedAt = services.clock.monotonic();
    }
    admit(request.caller, request);
  });

  const lookAgain = async (request: FastifyRequest): Promise<void> => {
    const credential = bearer(request.headers.authorization) ?? "";
    const key = await (looksLikeAccessToken(credential) ? services.tokens : services.keys).authenticate(credential);
    if (key === null) throw refusalOf(credential);
    request.caller = callerOf(key);
    admit(request.caller, request);
  };
  // A body may take its time, and what was revoked meanwhile opens nothing.
  app.addHook("preValidation", (request, _reply, done) => {
    const isOld = request.lookedAt !== null && services.clock.monotonic() - request.lookedAt > LOOKED_LONG_AGO;
    if (isOld) return lookAgain(request);
    done();
    return undefined;
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

export const accountToShow = async (
  services: Services,
  request: FastifyRequest,
  named: string | undefined,
): Promise<Account> => {
  const account = await namedAccount(services, request, named);
  if (account === null)
    throw invalidField("account_id", "the account to look at, such as ?account_id=acc_…", undefined);
  return account;
};
