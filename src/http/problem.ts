/** The one place where what went wrong becomes an answer: application/problem+json (RFC 9457). */
import type { FastifyReply, FastifyRequest } from "fastify";
import {
  internalError,
  malformed,
  notFound,
  payloadTooLarge,
  redisUnavailable,
  SluiceError,
  unsupportedMediaType,
} from "../domain/errors.ts";
import { redisTrouble } from "./redis-trouble.ts";
import type { Problem } from "./schemas/problem.ts";

const titled = (code: string): string => code.charAt(0).toUpperCase() + code.slice(1).replaceAll("_", " ");

const problemOf = (error: SluiceError, requestId: string): Problem => ({
  type: `urn:sluice:problem:${error.code}`,
  title: titled(error.code),
  status: error.status,
  code: error.code,
  detail: error.message,
  request_id: requestId,
  ...(error.extra.errors ? { errors: [...error.extra.errors] } : {}),
});

const sizeText = (bytes: number): string =>
  bytes >= 1_048_576 ? `${Math.floor(bytes / 1_048_576)} MB` : `${Math.floor(bytes / 1_024)} KB`;

/** What Fastify itself refuses, before one of our own functions has seen the request. */
const refusedByFastify = (code: string, request: FastifyRequest): SluiceError | null => {
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return payloadTooLarge(`${sizeText(request.routeOptions.bodyLimit ?? 0)} in a request`);
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return unsupportedMediaType(request.headers["content-type"] ?? "none");
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return malformed("expected as many bytes of body as Content-Length says");
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
      return malformed("expected a JSON body, got none");
    case "FST_ERR_BAD_URL":
      return malformed("expected a path whose percent-encoding can be decoded");
    case "FST_ERR_MAX_PARAM_LENGTH":
      return notFound("such route");
    default:
      return null;
  }
};

/** Everything that is thrown, as one of the closed list. */
export const asSluiceError = (error: unknown, request: FastifyRequest): SluiceError => {
  if (error instanceof SluiceError) return error;
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  const refused = typeof code === "string" ? refusedByFastify(code, request) : null;
  if (refused) return refused;
  // A caller that hung up in the middle of its body, and what else Fastify finds at fault.
  if (typeof statusCode === "number" && statusCode >= 400 && statusCode < 500)
    return malformed("the request could not be read to its end");
  const trouble = redisTrouble(error);
  return trouble === null ? internalError() : redisUnavailable(trouble);
};

/** As RFC 6750 has it: no error for who showed nothing, one for what was shown in vain. */
const challengeOf = ({ status, code, extra }: SluiceError, request: FastifyRequest): string | null => {
  const realm = `Bearer realm="sluice"`;
  if (extra.scope !== undefined) return `${realm}, error="insufficient_scope", scope="${extra.scope}"`;
  if (status !== 401) return null;
  const isBare = code === "unauthenticated" && request.headers.authorization === undefined;
  return isBare ? realm : `${realm}, error="invalid_token"`;
};

export const sendProblem = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const known = asSluiceError(error, request);
  // The stack goes to the log and to nobody else. Details of the caller's own mistakes carry addresses: not logged.
  if (known.status === 500) request.log.error({ event: "internal_error", err: error }, "A mistake of ours");
  else if (known.status === 503) request.log.warn({ event: "unavailable", why: known.message }, "Answered 503");
  if (known.extra.retryAfterSeconds !== undefined) reply.header("Retry-After", String(known.extra.retryAfterSeconds));
  const challenge = challengeOf(known, request);
  if (challenge !== null) reply.header("WWW-Authenticate", challenge);
  return reply.code(known.status).type("application/problem+json").send(problemOf(known, request.id));
};

/** The same as text, for sockets whose request never became one. */
export const rawProblem = (error: SluiceError, requestId: string): string =>
  JSON.stringify(problemOf(error, requestId));
