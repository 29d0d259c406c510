/**
 * Limits on HTTP requests alone, on an empty Fastify handler: ours and those that people use instead, each on Redis and
 * keyed by the caller's key. None is ever reached.
 *
 * As the README of @fastify/rate-limit advises: the Redis store on a client with `connectTimeout: 500` and
 * `maxRetriesPerRequest: 1`. It knows one window a route. As the wiki of rate-limiter-flexible advises ("Fastify plugin",
 * "Redis"): `consume` in an `onRequest` hook, a limiter a window, all of them asked at once, and its headers.
 * Both are fixed windows, which are cheaper to count than ours, which roll; theirs let through twice the limit around a
 * window's end.
 */
import Fastify, { type FastifyInstance } from "fastify";
import fastifyRateLimit from "@fastify/rate-limit";
import { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { readPolicy } from "../../src/ratelimit/policy-reading.ts";
import { rateLimit } from "../../src/ratelimit/plugin.ts";
import { cellTag } from "../../src/redis/keys.ts";
import type { BenchRedis } from "../redis.ts";

/** Seconds. */
const WINDOWS = [60, 3_600, 86_400];
const NAMES = ["minute", "hour", "day"];
const LIMIT = 1_000_000_000;

const callerOf = (request: { headers: { authorization?: string | undefined } }): string =>
  request.headers.authorization ?? "nobody";

export interface LimitedServer {
  readonly origin: string;
  readonly close: () => Promise<void>;
}

const served = async (
  redis: BenchRedis,
  limit: (app: FastifyInstance, store: Redis) => unknown,
): Promise<LimitedServer> => {
  const store = new Redis({ path: redis.socket, connectTimeout: 500, maxRetriesPerRequest: 1 });
  await new Promise((resolve) => void store.once("ready", resolve));
  const app = Fastify();
  await limit(app, store);
  app.get("/", async () => ({ ok: true }));
  const origin = await app.listen({ host: "127.0.0.1", port: 0 });
  return {
    origin,
    close: async () => {
      await app.close();
      store.disconnect();
    },
  };
};

export const withoutLimits = (redis: BenchRedis) => served(redis, () => {});

export const withOurs = (redis: BenchRedis, windows: 1 | 3) =>
  served(redis, async (app, store) => {
    const limits = Object.fromEntries(NAMES.slice(0, windows).map((name) => [name, LIMIT]));
    const rules = { all: { routes: ["*"], limits } };
    const policy = readPolicy(
      "bench",
      { dialect: "sluice", layers: { all: { key: ["key"], kind: "rolling", rules } } },
      ["sluice"],
      [],
    );
    await app.register(rateLimit, {
      policy,
      redis: store,
      cell: cellTag("bench"),
      identify: (request) => ({ key: callerOf(request) }),
    });
  });

export const withFastifys = (redis: BenchRedis) =>
  served(redis, (app, store) =>
    app.register(fastifyRateLimit, {
      max: LIMIT,
      timeWindow: "1 minute",
      redis: store,
      nameSpace: "api:",
      keyGenerator: callerOf,
    }),
  );

export const withFlexible = (redis: BenchRedis, windows: 1 | 3) =>
  served(redis, (app, storeClient) => {
    const limiters = WINDOWS.slice(0, windows).map(
      (duration) => new RateLimiterRedis({ storeClient, keyPrefix: `api${duration}`, points: LIMIT, duration }),
    );
    app.addHook("onRequest", async (request, reply) => {
      const caller = callerOf(request);
      const [tightest] = await Promise.all(limiters.map((limiter) => limiter.consume(caller)));
      if (tightest === undefined) return;
      reply.headers({
        "x-ratelimit-limit": LIMIT,
        "x-ratelimit-remaining": tightest.remainingPoints,
        "x-ratelimit-reset": Math.ceil(tightest.msBeforeNext / 1_000),
      });
    });
  });
