/** What bounds a caller's requests: how it stands now, what became of requests, and who came close. */
import type { FastifyRequest } from "fastify";
import type { Account } from "../../accounts/account.ts";
import { firstStated } from "../../accounts/api-limits.ts";
import { invalidFields } from "../../domain/errors.ts";
import type { Problems } from "../../domain/expecting.ts";
import { hours, instant } from "../../domain/time.ts";
import { formatIn, formatUtc } from "../../domain/timestamp.ts";
import type { Facts } from "../../ratelimit/caller.ts";
import type { App } from "../access.ts";
import { accountToShow, namedAccount } from "../auth.ts";
import { cursorFrom, DEFAULT_PAGE, readCursor } from "../cursor.ts";
import { readTime } from "../draft/timing.ts";
import { factsOf } from "../limits.ts";
import { dayBefore, insistOnRange } from "../report-range.ts";
import * as schemas from "../schemas/limits.ts";
import { problems } from "../schemas/problem.ts";
import type { Services } from "../services.ts";

const config = { access: "account-or-operator", scope: "read" } as const;
/** Redis's: two numbers of 64 bits. */
const STREAM_ID = /^\d{1,19}-\d{1,19}$/;

const tags = ["API limits"];

/** How long the counts of requests are kept. */
const DAYS_KEPT = 30;
/** Requests that came without a key that is known, in the operator's report. */
const NOBODY = "nobody";

export const limitRoutes = (app: App, services: Services): void => {
  const { limits, looking, plans } = services;

  /** As a key of the account without limits of its own would have it. */
  const factsOfAccount = async ({ id, plan, apiLimit, apiCeiling }: Account): Promise<Facts> => {
    const inForce = plan === null ? null : await plans.get(plan);
    const ceiling = firstStated(apiCeiling, inForce?.apiCeiling ?? null);
    const stated = { key: null, account: apiLimit, plan, planLimit: inForce?.apiLimit ?? null, ceiling };
    const { key: _, user: __, ...facts } = factsOf({ account: id, key: "", limits: stated });
    return facts;
  };

  const factsAskedFor = async (request: FastifyRequest, account: Account): Promise<Facts> =>
    request.caller?.kind === "account" ? { ip: request.ip, ...factsOf(request.caller) } : factsOfAccount(account);

  app.get(
    "/v1/limits",
    {
      config,
      schema: {
        tags,
        operationId: "getLimits",
        summary:
          "What bounds the caller's requests now, in every window; the operator sees what an account's keys share",
        querystring: schemas.LimitsQuery,
        response: { 200: schemas.LimitsReport, ...problems },
      },
    },
    async (request) => {
      const account = await accountToShow(services, request, request.query.account_id);
      const decision = await limits.limiter.survey(await factsAskedFor(request, account));
      return {
        policy: limits.limiter.policy.name,
        counted_by: limits.limiter.state().redis === "here" ? ("redis" as const) : ("process" as const),
        items: decision.standings.map(({ rule, kind, length, limit, remaining, resetIn }) => ({
          rule,
          kind,
          window_seconds: length / 1_000,
          limit,
          used: limit - remaining,
          remaining,
          // Nothing is used: nothing is to come back.
          resets_at: remaining === limit ? null : formatIn(instant(decision.at + resetIn), account.timezone),
        })),
      };
    },
  );

  app.get(
    "/v1/reports/api-usage",
    {
      config,
      schema: {
        tags,
        operationId: "getApiUsage",
        summary:
          "Requests admitted and refused by rule, key and hour, for 30 days; the last 24 hours when nothing is asked for. " +
          "The operator without account_id sees those that came without a key",
        querystring: schemas.ApiUsageQuery,
        response: { 200: schemas.ApiUsage, ...problems },
      },
    },
    async (request) => {
      const wrong: Problems = [];
      const givenFrom = readTime(request.query.from, "from", wrong);
      const givenTo = readTime(request.query.to, "to", wrong);
      if (wrong.length > 0) throw invalidFields(wrong);
      const account = await namedAccount(services, request, request.query.account_id);
      const now = await looking.now();
      const to = givenTo ?? instant(now + 1);
      const from = givenFrom ?? dayBefore(to);
      insistOnRange(request.query, { from, to }, now, DAYS_KEPT);
      const rows = await limits.usage(account?.id ?? NOBODY, { from, to: instant(Math.min(to, now + hours(1))) });
      return {
        items: rows.map(({ startsAt, rule, key, admitted, refused, shadowRefused }) => ({
          starts_at: formatUtc(startsAt),
          rule,
          key_id: key,
          admitted,
          refused,
          shadow_refused: shadowRefused,
        })),
      };
    },
  );

  app.get(
    "/v1/events",
    {
      config: { access: "operator" },
      schema: {
        tags,
        operationId: "listEvents",
        summary: "Callers that came to 80 or 100 per cent of a limit, oldest first: the last ten thousand or so",
        querystring: schemas.EventsQuery,
        response: { 200: schemas.EventPage, ...problems },
      },
    },
    async ({ query }) => {
      const { cursor, limit = DEFAULT_PAGE } = query;
      const { events, after } = await limits.events(readCursor("events", cursor, STREAM_ID) ?? "", limit);
      return { items: [...events], next_cursor: events.length < limit ? null : cursorFrom("events", after) };
    },
  );
};
