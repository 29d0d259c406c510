/**
 * The limits on any Fastify routes: `app.register(rateLimit, { limiter, dialect, identify })`, after whatever finds out who asks.
 *
 * Hooks and the router's own patterns decide, never a path: `//`, `;x`, `%2e` and capitals are the router's to read, and what
 * it does not know is one more route. Every request is decided once, and every answer carries the headers.
 */
import { Readable } from "node:stream";
import fastifyPlugin from "fastify-plugin";
import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from "fastify";
import { systemClock } from "../domain/time.ts";
import { cellTag, type Cell } from "../redis/keys.ts";
import { scriptRunner, type Connection } from "../redis/script.ts";
import { UNREADABLE } from "./client-address.ts";
import type { Facts } from "./caller.ts";
import type { Decision } from "./decision.ts";
import type { Dialect } from "./dialect.ts";
import { dialectNamed } from "./dialects/by-name.ts";
import { limiterOn, type Limiter, type Taken } from "./limiter.ts";
import type { Policy } from "./policy.ts";

/** What counts: a limiter that is there already, or a policy and the Redis to count it on. */
type Counting =
  { readonly limiter: Limiter } | { readonly policy: Policy; readonly redis: Connection; readonly cell?: Cell };

export type RateLimitOptions = Counting & {
  /** The policy's own when absent. */
  readonly dialect?: Dialect;
  /**
   * What is known of who asks; null is outside the limits. Without it callers are known by their address. Facts that are
   * frozen, and are the same object while nothing of them changes, cost less.
   */
  readonly identify?: (request: FastifyRequest) => Facts | null;
};

const limiterOf = (counting: Counting): Limiter => {
  if ("limiter" in counting) return counting.limiter;
  const { policy, redis, cell = cellTag("limits") } = counting;
  return limiterOn({ policy, scripts: scriptRunner(redis, cell), clock: systemClock });
};

const dialectOf = (policy: Policy): Dialect => {
  const dialect = dialectNamed(policy.dialect);
  if (dialect === undefined) throw new Error(`expected a dialect that there is, got ${policy.dialect}`);
  return dialect;
};

/** With the client's address. Of frozen facts that come again, the same again: rules-for.ts remembers what follows from them. */
const facing = (): ((facts: Facts, ip?: string) => Facts) => {
  const last = new WeakMap<Facts, Facts>();
  return (facts, connection = UNREADABLE) => {
    // Said and not known, as of a header that did not come or is empty, is not said.
    const { ip: said } = facts;
    const ip = said === undefined || said === null || said === "" ? connection : said;
    if (!Object.isFrozen(facts)) return { ...facts, ip };
    const known = last.get(facts);
    if (known?.ip === ip) return known;
    const whole = Object.freeze({ ...facts, ip });
    last.set(facts, whole);
    return whole;
  };
};

/** Fastify keeps names in lower case: those that come with every answer need not be written so for each. */
const lowerCasing = (): ((name: string) => string) => {
  const known = new Map<string, string>();
  return (name) => {
    const seen = known.get(name);
    if (seen !== undefined) return seen;
    const lower = name.toLowerCase();
    known.set(name, lower);
    return lower;
  };
};

/** What an answer says of itself that is not so of the refusal in its place: it may have been compressed by then, or a 401. */
const OF_ANOTHER_ANSWER = [
  "content-length",
  "content-encoding",
  "content-range",
  "content-disposition",
  "etag",
  "last-modified",
  "location",
  "allow",
  "www-authenticate",
];

declare module "fastify" {
  interface FastifyRequest {
    /** Null: not decided yet, or outside the limits. */
    limits: Decision | null;
    /** Whether the limits have been asked. */
    limitsAsked: boolean;
    /** What was charged for it before its turn came, by whoever asked `limitsAhead`. */
    limitsTaken: Taken | null;
  }
  interface FastifyInstance {
    /**
     * For requests that pass no hook, because the router itself refuses them (`frameworkErrors`): charges one, and answers it
     * with the refusal if it is one too many. False: it is still to be answered. Such a request has the address of its connection:
     * behind a proxy, rather give it another `url` and let it come again (`routing`).
     */
    heldToLimits(request: FastifyRequest, reply: FastifyReply): Promise<boolean>;
    /**
     * For whatever finds out who asks in a call of Redis: what it may charge in the same, for facts as `identify` will tell
     * them, if it leaves that in `limitsTaken`. Null: nothing can be said before the request's turn.
     */
    limitsAhead(request: FastifyRequest, facts: Facts): Omit<Taken, "admission"> | null;
  }
}

const register: FastifyPluginCallback<RateLimitOptions> = (app, options, done) => {
  const { identify } = options;
  const whole = facing();
  const lowerCase = lowerCasing();
  const limiter = limiterOf(options);
  const dialect = options.dialect ?? dialectOf(limiter.policy);
  // Registered twice, around and within, it still decides once: what comes first has decided.
  if (!app.hasRequestDecorator("limits")) {
    app.decorateRequest("limits", null);
    app.decorateRequest("limitsAsked", false);
    app.decorateRequest("limitsTaken", null);
    // Whose address it is is asked while the connection is there, and Node keeps the answer: one that is reset right behind its
    // request would else be nobody's.
    app.server.on("connection", (socket) => void socket.remoteAddress);
  }

  const routeOf = (request: FastifyRequest): string | null =>
    request.is404 ? null : (request.routeOptions.url ?? null);

  /** Null: outside the limits. */
  const asked = (request: FastifyRequest): Decision | Promise<Decision> | null => {
    request.limitsAsked = true;
    // Undefined where the router itself refused it: then it has nothing that is made for requests.
    if (request.limitsTaken) return limiter.taken(request.limitsTaken);
    const facts = identify ? identify(request) : {};
    if (facts === null) return null;
    const { method, params, query, body, ip } = request;
    return limiter.take({ method, route: routeOf(request), params, query, body, facts: whole(facts, ip) });
  };

  /** @returns the decision that refuses, if it does */
  const told = (decision: Decision | null, request: FastifyRequest, reply: FastifyReply): Decision | null => {
    if (decision === null) return null;
    request.limits = decision;
    const headers = dialect.headers(decision);
    for (const name of Object.keys(headers)) reply.header(lowerCase(name), headers[name]);
    return decision.admitted ? null : decision;
  };

  const refusal = (decision: Decision, request: FastifyRequest, reply: FastifyReply): string => {
    const { contentType, body } = dialect.refusal(decision, request.id);
    reply.code(429).header("content-type", contentType);
    for (const name of OF_ANOTHER_ANSWER) reply.removeHeader(name);
    // As text: the route's schema for a 429, if it has one, is another dialect's.
    return JSON.stringify(body);
  };

  const answered = (decision: Decision | null, request: FastifyRequest, reply: FastifyReply): boolean => {
    const refused = told(decision, request, reply);
    if (refused !== null) void reply.send(refusal(refused, request, reply));
    return refused !== null;
  };

  if (!app.hasDecorator("heldToLimits"))
    app.decorate("heldToLimits", async (request, reply) => answered(await asked(request), request, reply));

  if (!app.hasDecorator("limitsAhead"))
    app.decorate("limitsAhead", (request, known) => {
      const facts = whole(known, request.ip);
      const rules = limiter.ahead({ method: request.method, route: routeOf(request), facts });
      return rules && { facts, rules };
    });

  const decideLater = async (asking: Promise<Decision>, request: FastifyRequest, reply: FastifyReply) =>
    answered(await asking, request, reply) ? reply : undefined;

  /** Without a promise where it was charged ahead, or is outside the limits. */
  const decideHere = (request: FastifyRequest, reply: FastifyReply, go: () => void) => {
    const decision = asked(request);
    if (decision instanceof Promise) return decideLater(decision, request, reply);
    if (!answered(decision, request, reply)) go();
    return undefined;
  };

  const isForLater = (request: FastifyRequest): boolean =>
    request.limitsAsked || (request.limitsTaken === null && limiter.needsBody(request.method, routeOf(request)));
  app.addHook("onRequest", (request, reply, go) => (isForLater(request) ? go() : decideHere(request, reply, go)));
  // The body is there, and has not been judged: a body that is wrong is charged as well.
  app.addHook("preValidation", (request, reply, go) => (request.limitsAsked ? go() : decideHere(request, reply, go)));
  // An answer that came before either: a hook before this one refused the caller, or the body could not be read. It counts
  // all the same, and whoever has too many of them gets this one instead.
  const decideLate = async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> => {
    const refused = told(await asked(request), request, reply);
    if (refused === null) return payload;
    // What it would have been streamed from is not to stay open.
    if (payload instanceof Readable) payload.destroy();
    return refusal(refused, request, reply);
  };
  app.addHook("onSend", (request, reply, payload, go) =>
    request.limitsAsked ? go(null, payload) : decideLate(request, reply, payload),
  );
  done();
};

/** For all routes of the instance it is registered on, and of those within it. */
export const rateLimit = fastifyPlugin(register, { fastify: "5.x", name: "sluice-ratelimit" });
