/** Who may call a route, told as data where the route is defined; auth.ts is the only place that acts on it. */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { IdSeed } from "../domain/id.ts";

export type Access = "operator" | "account" | "account-or-operator" | "anyone" | "loopback-or-operator";

/** Who is asking, once auth.ts has looked. */
export type Caller =
  | { readonly kind: "operator" }
  | { readonly kind: "account"; readonly account: string; readonly key: string }
  | { readonly kind: "nobody" };

/** A key that was taken for this request, to be kept or given back with its answer. */
export interface IdempotentRun {
  readonly account: string;
  readonly route: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly seed: IdSeed;
}

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** A route that does not say who may call it is not served: the server does not start. */
export const insistOnAccess = (app: Pick<App, "addHook">): void => {
  app.addHook("onRoute", ({ method, url, config }) => {
    if (config?.access === undefined) throw new Error(`expected ${String(method)} ${url} to declare who may call it`);
  });
};

declare module "fastify" {
  interface FastifyContextConfig {
    access?: Access;
    /** Outside the limit on requests. */
    unlimited?: boolean;
    /** Takes the header Idempotency-Key. */
    idempotent?: boolean;
  }
  interface FastifyRequest {
    caller: Caller | null;
    /** SHA-256 of the body as it came, in hex. Only where a route is idempotent. */
    bodyDigest: string | null;
    idempotent: IdempotentRun | null;
  }
}
