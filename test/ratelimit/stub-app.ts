/** Somebody else's Fastify application with our limits on it, on a real socket, and what reached its handlers. */
import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import type { Problems } from "../../src/domain/expecting.ts";
import type { Facts } from "../../src/ratelimit/caller.ts";
import { sluice } from "../../src/ratelimit/dialects/sluice.ts";
import type { Dialect } from "../../src/ratelimit/dialect.ts";
import type { Limiter } from "../../src/ratelimit/limiter.ts";
import { rateLimit } from "../../src/ratelimit/plugin.ts";
import type { Policy } from "../../src/ratelimit/policy.ts";
import { readPolicy } from "../../src/ratelimit/policy-reading.ts";

export const aPolicy = (layers: unknown): Policy => {
  const problems: Problems = [];
  const policy = readPolicy("test", { dialect: "sluice", layers }, ["sluice"], problems);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return policy;
};

export interface StubApp {
  readonly app: FastifyInstance;
  readonly port: number;
  readonly base: string;
  /** Requests that a handler has seen: `GET /things/:id`. */
  readonly served: string[];
  close(): Promise<void>;
}

export const stubApp = async (options: {
  readonly limiter: Limiter;
  readonly dialect?: Dialect;
  readonly identify?: (request: FastifyRequest) => Facts | null;
  /** `POST /v1/email/send` */
  readonly routes: readonly string[];
  /** Before the limits are registered, and after. */
  readonly before?: (app: FastifyInstance) => void;
  readonly after?: (app: FastifyInstance) => void;
  readonly trustProxy?: string;
}): Promise<StubApp> => {
  const { limiter, dialect = sluice, identify, routes, before, after, trustProxy } = options;
  const app = Fastify({ trustProxy: trustProxy ?? false });
  const served: string[] = [];
  before?.(app);
  await app.register(rateLimit, { limiter, dialect, ...(identify ? { identify } : {}) });
  for (const route of new Set(routes)) {
    const [method = "GET", url = "/"] = route.split(" ");
    app.route({
      method,
      url,
      handler: (request, reply) => {
        served.push(`${request.method} ${url}`);
        return reply.send({ ok: true });
      },
    });
  }
  after?.(app);
  const base = await app.listen({ port: 0, host: "127.0.0.1" });
  return { app, port: Number(new URL(base).port), base, served, close: () => app.close() };
};
