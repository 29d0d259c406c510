import type { Account } from "../../accounts/account.ts";
import { invalidField, invalidFields, notFound } from "../../domain/errors.ts";
import type { Problems } from "../../domain/expecting.ts";
import { hours, instant } from "../../domain/time.ts";
import { formatIn } from "../../domain/timestamp.ts";
import { aTimeZone, isTimeZone, tzRelease } from "../../domain/time-zone.ts";
import { dayOf, hourOf } from "../../domain/window.ts";
import type { App } from "../access.ts";
import { accountToShow, namedAccount } from "../auth.ts";
import { readTime } from "../draft/timing.ts";
import { queuesJson, quotasJson, windowJson } from "../present/looking.ts";
import { dayBefore, insistOnRange } from "../report-range.ts";
import * as schemas from "../schemas/looking.ts";
import { LookQuery } from "../schemas/message.ts";
import { problems } from "../schemas/problem.ts";
import type { Services } from "../services.ts";

const config = { access: "account-or-operator", scope: "read" } as const;
const tags = ["Looking"];

/** How long the counts of ended messages are kept. */
const DAYS_KEPT = 40;

export const lookingRoutes = (app: App, services: Services): void => {
  const { looking } = services;

  app.get(
    "/v1/quotas",
    {
      config,
      schema: {
        tags,
        operationId: "getQuotas",
        summary: "What is used, held and left of every quota in the windows that are running",
        querystring: LookQuery,
        response: { 200: schemas.QuotaReport, ...problems },
      },
    },
    async (request) => {
      const account = await accountToShow(services, request, request.query.account_id);
      const report = await looking.quotas(account.id);
      if (report === null) throw notFound("such account");
      return quotasJson(report);
    },
  );

  app.get(
    "/v1/queues",
    {
      config,
      schema: {
        tags,
        operationId: "getQueues",
        summary: "What waits on each channel; for the operator without account_id, the sums over all accounts",
        querystring: LookQuery,
        response: { 200: schemas.QueueReport, ...problems },
      },
    },
    async (request) => {
      const account = await namedAccount(services, request, request.query.account_id);
      return queuesJson(await looking.queues(account?.id ?? null), account?.timezone ?? "UTC");
    },
  );

  app.get(
    "/v1/windows",
    {
      config,
      schema: {
        tags,
        operationId: "getWindows",
        summary: "The hour and the day of an instant in a time zone",
        querystring: schemas.WindowsQuery,
        response: { 200: schemas.Windows, ...problems },
      },
    },
    async (request) => {
      const { account_id, timezone, at } = request.query;
      if (timezone !== undefined && !isTimeZone(timezone))
        throw invalidField("timezone", aTimeZone(timezone), timezone);
      const wrong: Problems = [];
      const given = readTime(at, "at", wrong);
      if (wrong.length > 0) throw invalidFields(wrong);
      const asked = (): Promise<Account> => accountToShow(services, request, account_id);
      // Beside a zone an account is not needed, but another's is not there all the same.
      if (timezone !== undefined && account_id !== undefined) await asked();
      const zone = timezone ?? (await asked()).timezone;
      const instantAsked = given ?? (await looking.now());
      return {
        hour: windowJson(hourOf(instantAsked, zone)),
        day: windowJson(dayOf(instantAsked, zone)),
        tz_version: tzRelease(),
      };
    },
  );

  app.get(
    "/v1/reports/usage",
    {
      config,
      schema: {
        tags,
        operationId: "getUsage",
        summary: "What became of messages, by hour or day; the last 24 hours by hour when nothing is asked for",
        querystring: schemas.UsageQuery,
        response: { 200: schemas.Usage, ...problems },
      },
    },
    async (request) => {
      const { account_id, channel, by = "hour" } = request.query;
      const wrong: Problems = [];
      const givenFrom = readTime(request.query.from, "from", wrong);
      const givenTo = readTime(request.query.to, "to", wrong);
      if (wrong.length > 0) throw invalidFields(wrong);
      const account = await accountToShow(services, request, account_id);
      const now = await looking.now();
      const to = givenTo ?? now;
      const from = givenFrom ?? dayBefore(to);
      insistOnRange(request.query, { from, to }, now, DAYS_KEPT);
      // Nothing has happened after now: a `to` in the year 2100 would be seventy years of days to look up.
      const until = instant(Math.min(to, now + hours(1)));
      const range = { from, to: until, by, ...(channel === undefined ? {} : { channel }) };
      const rows = await looking.usage(account.id, range);
      return {
        items: rows.map(({ startsAt, sent, failed, uncertain, throttled, ...row }) => ({
          starts_at: formatIn(startsAt, account.timezone),
          channel: row.channel,
          sent,
          failed,
          uncertain,
          throttled,
        })),
      };
    },
  );
};
