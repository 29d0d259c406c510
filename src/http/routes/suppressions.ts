import { Type } from "typebox";
import { invalidField, invalidFields, notFound } from "../../domain/errors.ts";
import type { Channel } from "../../domain/channel.ts";
import type { Problems } from "../../domain/expecting.ts";
import type { App } from "../access.ts";
import { accountToShow } from "../auth.ts";
import { cursorFrom, DEFAULT_PAGE, readCursor } from "../cursor.ts";
import { readKey } from "../draft/recipient.ts";
import { suppressionJson } from "../present/message.ts";
import * as schemas from "../schemas/message.ts";
import { problems } from "../schemas/problem.ts";
import type { Services } from "../services.ts";

const looks = { access: "account-or-operator", scope: "read" } as const;
/** What is suppressed is not sent, and goes again when it no longer is. */
const changes = { access: "account-or-operator", scope: "send" } as const;
const tags = ["Suppressions"];

const addressOn = (channel: Channel, text: string): string => {
  const wrong: Problems = [];
  const address = readKey(channel, text, "address", wrong);
  if (wrong.length > 0) throw invalidFields(wrong);
  return address;
};

export const suppressionRoutes = (app: App, services: Services): void => {
  const { suppressions } = services;

  app.post(
    "/v1/suppressions",
    {
      config: changes,
      schema: {
        tags,
        operationId: "addSuppression",
        summary: "Send nothing more to an address, not even what waits",
        querystring: schemas.LookQuery,
        body: schemas.NewSuppression,
        response: { 201: schemas.Suppression, ...problems },
      },
    },
    async (request, reply) => {
      const { channel, address, reason = "manual" } = request.body;
      const account = await accountToShow(services, request, request.query.account_id);
      const added = await suppressions.add(account.id, channel, addressOn(channel, address), reason);
      return reply.code(201).send(suppressionJson(added, account.timezone));
    },
  );

  app.get(
    "/v1/suppressions",
    {
      config: looks,
      schema: {
        tags,
        operationId: "listSuppressions",
        summary: "List suppressed addresses",
        querystring: schemas.SuppressionsQuery,
        response: { 200: schemas.Suppressions, ...problems },
      },
    },
    async (request) => {
      const { account_id, channel, address, cursor, limit = DEFAULT_PAGE } = request.query;
      const account = await accountToShow(services, request, account_id);
      if (address !== undefined && channel === undefined)
        throw invalidField("channel", "the channel that the address is of", undefined);
      const filter = {
        ...(channel === undefined ? {} : { channel }),
        ...(address === undefined || channel === undefined ? {} : { address: addressOn(channel, address) }),
      };
      // A place among all channels' may lie before the first of one channel's: from there, others' would be listed as its own.
      const list = `suppressions ${channel ?? ""}`;
      const page = await suppressions.list(account.id, filter, readCursor(list, cursor), limit);
      return {
        items: page.items.map((one) => suppressionJson(one, account.timezone)),
        next_cursor: cursorFrom(list, page.nextCursor),
      };
    },
  );

  app.delete(
    "/v1/suppressions",
    {
      config: changes,
      schema: {
        tags,
        operationId: "removeSuppression",
        summary: "Let messages to an address go again",
        querystring: schemas.SuppressionQuery,
        response: { 204: Type.Null({ description: "Taken away" }), ...problems },
      },
    },
    async (request, reply) => {
      const { channel, address, account_id } = request.query;
      const account = await accountToShow(services, request, account_id);
      if (!(await suppressions.remove(account.id, channel, addressOn(channel, address))))
        throw notFound("such suppression");
      return reply.code(204).send(null);
    },
  );
};
