/**
 * What the router itself refuses, for how its path is written or how long a part of it is. It would pass no hook: its address would
 * be the last proxy's, the operator nobody, and no count, measure or line would tell of it. So it comes again, as a path that
 * nobody knows, and is refused once it has passed them.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { App } from "./access.ts";

/** No route, and none is to be. */
const NOWHERE = "/nowhere";

const reasons = new WeakMap<FastifyRequest["raw"], Error>();

export const routeToNowhere = (app: App, reason: Error, { raw }: FastifyRequest, reply: FastifyReply): void => {
  reasons.set(raw, reason);
  raw.url = NOWHERE;
  app.routing(raw, reply.raw);
};

/** Null: it is a path that nobody knows, and no more. */
export const whyToNowhere = ({ raw }: FastifyRequest): Error | null => reasons.get(raw) ?? null;
