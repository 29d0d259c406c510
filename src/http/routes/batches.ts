import { notFound } from "../../domain/errors.ts";
import { isId } from "../../domain/id.ts";
import { formatIn } from "../../domain/timestamp.ts";
import type { App } from "../access.ts";
import { accountToShow, ownAccount } from "../auth.ts";
import { Batch, CanceledBatch, LookQuery } from "../schemas/message.ts";
import { IdInPath } from "../schemas/parts.ts";
import { problems } from "../schemas/problem.ts";
import type { Services } from "../services.ts";

const tags = ["Batches"];

const batchId = (id: string): string => {
  if (!isId("bat", id)) throw notFound("such batch");
  return id;
};

export const batchRoutes = (app: App, services: Services): void => {
  app.get(
    "/v1/batches/:id",
    {
      config: { access: "account-or-operator", scope: "read" },
      schema: {
        tags,
        operationId: "getBatch",
        summary: "How the messages of a bulk request stand",
        params: IdInPath,
        querystring: LookQuery,
        response: { 200: Batch, ...problems },
      },
    },
    async (request) => {
      const account = await accountToShow(services, request, request.query.account_id);
      const batch = await services.sending.batch(account.id, batchId(request.params.id));
      if (batch === null) throw notFound("such batch");
      const { id, total, createdAt, counts } = batch;
      return { id, total, created_at: formatIn(createdAt, account.timezone), counts };
    },
  );

  app.delete(
    "/v1/batches/:id",
    {
      config: { access: "account", scope: "send" },
      schema: {
        tags,
        operationId: "cancelBatch",
        summary: "Cancel what has not left",
        params: IdInPath,
        response: { 200: CanceledBatch, ...problems },
      },
    },
    async (request) => {
      const id = batchId(request.params.id);
      const result = await services.sending.cancelBatch(ownAccount(request), id);
      if (result === null) throw notFound("such batch");
      return { id, canceled: result.canceled, left: result.left };
    },
  );
};
