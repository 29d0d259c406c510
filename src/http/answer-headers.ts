/** What every answer carries: the request's id, and what keeps a browser from misusing it. No CORS: nobody else's page. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";

/** `req_` and 24 digits that are chance. Made many at a time, in one text: to cut one off costs next to nothing. */
const ID_LENGTH = 28;
const IDS_AT_A_TIME = 128;
let ids = "";
let used = 0;

const newRequestId = (): string => {
  if (used === ids.length) {
    ids = randomBytes(IDS_AT_A_TIME * 12)
      .toString("hex")
      .replace(/.{24}/g, "req_$&");
    used = 0;
  }
  used += ID_LENGTH;
  return ids.slice(used - ID_LENGTH, used);
};

/** A caller's own id is taken over when it is harmless in a log and a header. */
export const requestIdOf = (request: Pick<IncomingMessage, "headers">): string => {
  const given = request.headers["x-request-id"];
  if (typeof given === "string" && /^[A-Za-z0-9._-]{1,64}$/.test(given)) return given;
  return newRequestId();
};

/** Of data, which loads nothing and is shown in no page. What is a page says its own. */
const CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'";

export const setAnswerHeaders = (request: FastifyRequest, reply: FastifyReply): void => {
  // In lower case, in which Fastify keeps them: it need not write them anew for each answer.
  reply.headers({
    "x-request-id": request.id,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
  });
};
