/**
 * The header Idempotency-Key: the same key and body get the same answer for 24 hours. Held around validation as well,
 * because a 422 is an answer that is kept.
 */
import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { idempotencyMismatch, idempotencyRunning, invalidField } from "../domain/errors.ts";
import { newSeed, type IdSeed } from "../domain/id.ts";
import type { App, IdempotentRun } from "./access.ts";
import { ownAccount } from "./auth.ts";
import type { Instant } from "../domain/time.ts";
import type { Services } from "./services.ts";

const keyOf = (request: FastifyRequest): string | null => {
  const key = request.headers["idempotency-key"];
  if (key === undefined) return null;
  if (typeof key === "string" && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw invalidField("header Idempotency-Key", "1 to 255 visible ASCII characters", key);
};

/** What ids are made from: the kept seed of this key, or a new one. */
export const seedOf = (services: Services, request: FastifyRequest): IdSeed =>
  request.idempotent?.seed ?? newSeed(services.clock.now());

/**
 * As of when the request's times are judged: with a key, when it was first asked for, so that a repetition is judged as it was.
 * Redis's time where a time was given, since that is the clock that will hold the message; else any will do.
 */
export const judgedAt = (services: Services, request: FastifyRequest, isTimed: boolean): Instant | Promise<Instant> =>
  request.idempotent?.at ?? (isTimed ? services.looking.now() : services.clock.now());

/** What is found out once for all runs of a request with a key; of one without, as it is found out now. */
export const decidedFor = async <Decision>(
  services: Services,
  { idempotent: run }: FastifyRequest,
  decision: Decision | null,
): Promise<Decision | null> =>
  run ? services.idempotency.decide(run.account, run.route, run.key, run.fingerprint, decision) : decision;

const start = async (
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> => {
  const key = keyOf(request);
  if (key === null) return undefined;
  const account = ownAccount(request);
  const route = `${request.method} ${request.route.url}`;
  // The path too: one key for the replays of two messages is another request, not the same again.
  const fingerprint = createHash("sha256")
    .update(`${request.url}\n${request.bodyDigest ?? ""}`)
    .digest("hex");
  const started = await services.idempotency.start(account, route, key, fingerprint);
  if (started.kind === "running") throw idempotencyRunning();
  if (started.kind === "mismatch") throw idempotencyMismatch();
  if (started.kind === "fresh") {
    request.idempotent = { account, route, key, fingerprint, seed: started.seed, at: started.at };
    return undefined;
  }
  const { status, body } = started.answer;
  const type = status < 400 ? "application/json; charset=utf-8" : "application/problem+json; charset=utf-8";
  return reply.code(status).type(type).header("Idempotent-Replay", "true").send(body);
};

const isKept = (status: number): boolean => (status >= 200 && status < 300) || status === 422;

export const keepAnswers = (app: App, services: Services): void => {
  app.decorateRequest("bodyDigest", null);
  app.decorateRequest("idempotent", null);
  const keep = async (run: IdempotentRun, request: FastifyRequest, reply: FastifyReply, payload: unknown) => {
    // An error in here is answered by another pass through this hook, which must not try again.
    request.idempotent = null;
    const { account, route, key, fingerprint } = run;
    if (isKept(reply.statusCode)) {
      const body: unknown = JSON.parse(String(payload));
      await services.idempotency.keep(account, route, key, fingerprint, { status: reply.statusCode, body });
    } else {
      // If this fails too, the key stays taken until it is given up by itself: the answer is the trouble, not this.
      const made = reply.statusCode < 500 ? "nothing" : "unknown";
      await services.idempotency.release(account, route, key, fingerprint, made).catch((error: unknown) => {
        request.log.warn({ event: "idempotency_not_released", err: error }, "A key stays taken");
      });
    }
    return payload;
  };
  // Most requests have no key: a promise for each of them would be for nothing.
  app.addHook("preValidation", (request, reply, done) => {
    if (request.route.idempotent === true && request.headers["idempotency-key"] !== undefined)
      return start(services, request, reply);
    return done();
  });
  // Before the answer leaves: a caller who has it and asks again must find it kept.
  app.addHook("onSend", (request, reply, payload, done) =>
    request.idempotent === null ? done(null, payload) : keep(request.idempotent, request, reply, payload),
  );
};
