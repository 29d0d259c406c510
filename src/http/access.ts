/** Who may call a route, told as data where the route is defined; auth.ts is the only place that acts on it. */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from "fastify";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ApiLimits } from "../accounts/api-limits.ts";
import type { Who } from "../domain/audit.ts";
import type { IdSeed } from "../domain/id.ts";
import type { KeyScope } from "../domain/key-scope.ts";
import type { Instant, MonotonicMillis } from "../domain/time.ts";
import type { Extent } from "./json-extent.ts";

export type Access = "operator" | "account" | "account-or-operator" | "anyone" | "loopback-or-operator";

export interface AccountCaller {
  readonly kind: "account";
  readonly account: string;
  /** The key's id, also where one of its tokens was shown. */
  readonly key: string;
  /** The key's, or those of them that the token has. */
  readonly scopes: readonly KeyScope[];
  /** What bounds its requests, as of this request. */
  readonly limits: ApiLimits;
}

/** Who is asking, once auth.ts has looked. */
export type Caller = { readonly kind: "operator" } | AccountCaller | { readonly kind: "nobody" };

/** A key that was taken for this request, to be kept or given back with its answer. */
export interface IdempotentRun {
  readonly account: string;
  readonly route: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly seed: IdSeed;
  /** As of when its times are judged: the first time that it was asked for. */
  readonly at: Instant;
}

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** Routes that an account's key may call. */
const FOR_ACCOUNTS: ReadonlySet<Access> = new Set(["account", "account-or-operator"]);

/** A route that does not say who may call it, and with which scope, is not served: the server does not start. */
export const insistOnAccess = (app: Pick<App, "addHook">): void => {
  app.addHook("onRoute", ({ method, url, config }) => {
    if (config?.access === undefined) throw new Error(`expected ${String(method)} ${url} to declare who may call it`);
    if (FOR_ACCOUNTS.has(config.access) !== (config.scope !== undefined))
      throw new Error(
        FOR_ACCOUNTS.has(config.access)
          ? `expected ${String(method)} ${url} to declare the scope that a key needs for it`
          : `expected no scope of ${String(method)} ${url}, which is for no account's key`,
      );
  });
};

/** For the audit. */
export const whoOf = (request: FastifyRequest): Who => {
  const { caller } = request;
  const by =
    caller?.kind === "account" ? ({ kind: "account", key: caller.key } as const) : { kind: "operator" as const };
  return { by, requestId: request.id };
};

declare module "fastify" {
  interface FastifyContextConfig {
    access?: Access;
    /** What an account's key must be allowed. Of every route that one may call, and of no other. */
    scope?: KeyScope;
    /** A body may be left out: it is then `{}`. */
    bodyOptional?: boolean;
    /** It reads none: nothing-more.ts sets it. */
    takesNoBody?: boolean;
    /** How much its body may hold, where that is more than what any request may. */
    extent?: Extent;
    /** Outside the limit on requests. */
    unlimited?: boolean;
    /** Takes the header Idempotency-Key. */
    idempotent?: boolean;
  }
  interface FastifyRequest {
    /** Its route's: Fastify makes an object each time that it is asked for its own. */
    route: FastifyContextConfig & { readonly url?: string };
    caller: Caller | null;
    /** When an account's key was found to be good, by the process's own clock. */
    lookedAt: MonotonicMillis | null;
    /** SHA-256 of the body as it came, in hex. Only where a route is idempotent. */
    bodyDigest: string | null;
    idempotent: IdempotentRun | null;
  }
}
