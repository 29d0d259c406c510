/** Who changed what. It is read here; nothing here writes it, and nothing anywhere changes it. */
import type { FastifyRequest } from "fastify";
import { notFound } from "../../domain/errors.ts";
import type { App } from "../access.ts";
import { cursorFrom, DEFAULT_PAGE, readCursor } from "../cursor.ts";
import { auditJson } from "../present/audit.ts";
import * as schemas from "../schemas/audit.ts";
import { problems } from "../schemas/problem.ts";
import type { Services } from "../services.ts";

/** A place in the order of changes, which is a score in Redis. */
const PLACE = /^\d{1,16}$/;

/** The operator may ask for an account that is gone: its lines stay for their year. */
const accountAskedFor = ({ caller }: FastifyRequest, named: string | undefined): string | null => {
  if (caller?.kind !== "account") return named ?? null;
  if (named !== undefined && named !== caller.account) throw notFound("such account");
  return caller.account;
};

export const auditRoutes = (app: App, { audit }: Services): void => {
  app.get(
    "/v1/audit",
    {
      config: { access: "account-or-operator", scope: "admin" },
      schema: {
        tags: ["Audit"],
        operationId: "listAudit",
        summary: "Who changed which limit, key, zone or plan, from what to what, newest first; kept for a year",
        querystring: schemas.AuditQuery,
        response: { 200: schemas.AuditPage, ...problems },
      },
    },
    async (request) => {
      const { account_id, what, cursor, limit = DEFAULT_PAGE } = request.query;
      const filter = { account: accountAskedFor(request, account_id), what: what ?? null };
      // A place in one account's list is none in another's.
      const list = `audit ${filter.account ?? ""}`;
      const page = await audit.list(filter, readCursor(list, cursor, PLACE), limit);
      return { items: page.items.map(auditJson), next_cursor: cursorFrom(list, page.nextCursor) };
    },
  );
};
