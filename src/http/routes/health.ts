import { Type } from "typebox";
import { redisTrouble } from "../redis-trouble.ts";
import type { App } from "../access.ts";
import * as schemas from "../schemas/looking.ts";
import { problems } from "../schemas/problem.ts";
import type { Readiness, Services } from "../services.ts";
import { formatUtc } from "../../domain/timestamp.ts";
import { tzRelease } from "../../domain/time-zone.ts";

const tags = ["Health"];

/** Where Redis does not answer nothing else can be said of it. Why stays in the log: anyone may ask. */
const unreachable = (error: unknown): Readiness => ({
  ok: false,
  reasons: [`Redis: expected an answer, got none (${redisTrouble(error) ?? "for a reason that is in the log"})`],
  redis: { reachable: false, version: null },
  persistence: { append_only: false, fsync: null, eviction: null },
  durability: { promised: null, given: null, how: "Redis does not answer" },
  memory: null,
  failover: null,
  workers: 0,
  tz_release: tzRelease(),
});

export const healthRoutes = (app: App, { health, limits, metrics, logger }: Services): void => {
  app.get(
    "/healthz",
    {
      config: { access: "anyone", unlimited: true },
      schema: { tags, operationId: "getHealth", summary: "Alive", response: { 200: schemas.Alive, ...problems } },
    },
    () => ({ status: "ok" as const }),
  );

  app.get(
    "/readyz",
    {
      config: { access: "anyone", unlimited: true },
      schema: {
        tags,
        operationId: "getReadiness",
        summary: "Ready to take messages: Redis, what it keeps and evicts, failovers, workers",
        response: { 200: schemas.Ready, 503: schemas.Ready, ...problems },
      },
    },
    async (_request, reply) => {
      const { ok, reasons, ...rest } = await health.ready().catch((error: unknown) => {
        logger.warn({ event: "readiness_unknown", err: error }, "Could not tell whether Sluice is ready");
        return unreachable(error);
      });
      const counted = limits.limiter.state();
      const api_limits = {
        policy: limits.limiter.policy.name,
        counted_by: counted.redis === "here" ? ("redis" as const) : ("process" as const),
        since: counted.redis === "here" ? null : formatUtc(counted.since),
      };
      const status = ok ? ("ready" as const) : ("not_ready" as const);
      const body = { status, reasons: [...reasons], ...rest, api_limits };
      return ok ? reply.code(200).send(body) : reply.code(503).header("Retry-After", "2").send(body);
    },
  );

  app.get(
    "/metrics",
    {
      config: { access: "loopback-or-operator", unlimited: true },
      schema: {
        tags,
        operationId: "getMetrics",
        summary: "For Prometheus",
        response: {
          200: { description: "Metrics", content: { "text/plain": { schema: Type.String() } } },
          ...problems,
        },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  );
};
