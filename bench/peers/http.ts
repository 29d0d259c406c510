/**
 * What a user of Fastify writes today to take messages in: `@fastify/rate-limit` on Redis, then BullMQ's `add`.
 *
 * As the README of @fastify/rate-limit advises: the Redis store on a client with `connectTimeout: 500` and
 * `maxRetriesPerRequest: 1`, `keyGenerator` by API key, a `nameSpace`; docs.bullmq.io ("Going to production"): a queue's
 * connection in front of users fails fast (`enableOfflineQueue: false`). Keys are looked up in this process's memory by
 * their digest, which is cheaper than any store; the body is validated by a compiled schema, as Fastify does by itself.
 */
import { createHash } from "node:crypto";
import Fastify, { type FastifyInstance } from "fastify";
import rateLimit from "@fastify/rate-limit";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import type { BenchRedis } from "../redis.ts";
import { KEPT } from "./bare.ts";

export interface HttpPeer {
  readonly origin: string;
  /** Jobs that wait. */
  readonly accepted: () => Promise<number>;
  readonly close: () => Promise<void>;
}

const listening = (app: FastifyInstance): Promise<string> => app.listen({ host: "127.0.0.1", port: 0 });

const MAIL = {
  type: "object",
  required: ["from", "to", "subject", "text"],
  additionalProperties: false,
  properties: {
    from: { type: "string", maxLength: 320 },
    to: { type: "string", maxLength: 320 },
    subject: { type: "string", maxLength: 998 },
    text: { type: "string", maxLength: 262_144 },
  },
} as const;

/** @param max requests a minute; never reached here */
export const limitAndAdd = async (redis: BenchRedis, key: string, max: number): Promise<HttpPeer> => {
  const store = new Redis({ path: redis.socket, connectTimeout: 500, maxRetriesPerRequest: 1 });
  const connection = new Redis({ path: redis.socket, enableOfflineQueue: false, maxRetriesPerRequest: 1 });
  await new Promise((resolve) => void connection.once("ready", resolve));
  const queue = new Queue("mail", { connection, defaultJobOptions: KEPT });
  await queue.waitUntilReady();
  const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
  const keys = new Map([[digest(`Bearer ${key}`), { account: 1 }]]);
  const app = Fastify();
  await app.register(rateLimit, {
    max,
    timeWindow: "1 minute",
    redis: store,
    nameSpace: "api:",
    keyGenerator: (request) => request.headers.authorization ?? request.ip,
  });
  app.post("/v1/email/send", { schema: { body: MAIL } }, async (request, reply) => {
    const caller = keys.get(digest(request.headers.authorization ?? ""));
    if (caller === undefined) return reply.code(401).send({ error: "unknown key" });
    const job = await queue.add("mail", { account: caller.account, content: request.body });
    return reply.code(202).send({ id: job.id });
  });
  return {
    origin: await listening(app),
    accepted: () => queue.getWaitingCount(),
    close: async () => {
      await app.close();
      await queue.close();
      connection.disconnect();
      store.disconnect();
    },
  };
};

/** Nothing but Fastify: the body is read and answered. */
export const emptyHandler = async (): Promise<HttpPeer> => {
  const app = Fastify();
  app.post("/v1/email/send", async (_request, reply) => reply.code(202).send({ id: "1" }));
  return { origin: await listening(app), accepted: async () => 0, close: () => app.close() };
};
