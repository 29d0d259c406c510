import type { FastifyRequest } from "fastify";
import { isChannel } from "../../domain/channel.ts";
import { alreadyFinal, alreadySending, notFound } from "../../domain/errors.ts";
import { isId } from "../../domain/id.ts";
import type { App } from "../access.ts";
import { accountToShow, ownAccount } from "../auth.ts";
import { cursorFrom, DEFAULT_PAGE, readCursor } from "../cursor.ts";
import { seedOf } from "../idempotency.ts";
import { acceptedJson, messageJson } from "../present/message.ts";
import * as schemas from "../schemas/message.ts";
import { IdInPath } from "../schemas/parts.ts";
import { problems } from "../schemas/problem.ts";
import { Accepted } from "../schemas/send.ts";
import type { Services } from "../services.ts";
import { setupOf } from "./send.ts";

const looks = { access: "account-or-operator", scope: "read" } as const;
const tags = ["Messages"];

const messageId = (id: string): string => {
  if (!isId("msg", id)) throw notFound("such message");
  return id;
};

export const messageRoutes = (app: App, services: Services): void => {
  const { looking, sending } = services;

  const theMessage = async (request: FastifyRequest, named: string | undefined, id: string) => {
    const account = await accountToShow(services, request, named);
    const message = await looking.message(account.id, messageId(id));
    if (message === null) throw notFound("such message");
    return { message, zone: account.timezone };
  };

  app.get(
    "/v1/messages/:id",
    {
      config: looks,
      schema: {
        tags,
        operationId: "getMessage",
        summary: "One message: where it stands, what holds it, when it is expected to go",
        params: IdInPath,
        querystring: schemas.LookQuery,
        response: { 200: schemas.Message, ...problems },
      },
    },
    async (request) => {
      const { message, zone } = await theMessage(request, request.query.account_id, request.params.id);
      return messageJson(message, zone);
    },
  );

  app.get(
    "/v1/:channel/messages/:id",
    {
      config: looks,
      schema: {
        tags,
        operationId: "getMessageOfChannel",
        summary: "The same, if it is of this channel",
        params: schemas.ChannelMessagePath,
        querystring: schemas.LookQuery,
        response: { 200: schemas.Message, ...problems },
      },
    },
    async (request) => {
      if (!isChannel(request.params.channel)) throw notFound("such channel");
      const { message, zone } = await theMessage(request, request.query.account_id, request.params.id);
      if (message.channel !== request.params.channel) throw notFound("such message");
      return messageJson(message, zone);
    },
  );

  app.get(
    "/v1/messages",
    {
      config: looks,
      schema: {
        tags,
        operationId: "listMessages",
        summary: "List messages, newest first",
        querystring: schemas.MessagesQuery,
        response: { 200: schemas.Messages, ...problems },
      },
    },
    async (request) => {
      const { account_id, status, channel, batch_id, reference, cursor, limit = DEFAULT_PAGE } = request.query;
      const account = await accountToShow(services, request, account_id);
      const filter = {
        ...(status === undefined ? {} : { status }),
        ...(channel === undefined ? {} : { channel }),
        ...(batch_id === undefined ? {} : { batchId: batch_id }),
        ...(reference === undefined ? {} : { reference }),
      };
      const page = await looking.messages(account.id, filter, readCursor("messages", cursor), limit);
      return {
        items: page.items.map((message) => messageJson(message, account.timezone)),
        next_cursor: cursorFrom("messages", page.nextCursor),
      };
    },
  );

  app.delete(
    "/v1/messages/:id",
    {
      config: { access: "account", scope: "send" },
      schema: {
        tags,
        operationId: "cancelMessage",
        summary: "Cancel a message that waits",
        params: IdInPath,
        response: { 200: schemas.Canceled, ...problems },
      },
    },
    async (request) => {
      const id = messageId(request.params.id);
      const result = await sending.cancel(ownAccount(request), id);
      if (result.kind === "unknown") throw notFound("such message");
      if (result.kind === "already_sending") throw alreadySending(id);
      if (result.kind === "already_final") throw alreadyFinal(id, result.state);
      return { id, status: result.kind };
    },
  );

  app.post(
    "/v1/messages/:id/replay",
    {
      config: { access: "account", scope: "send", idempotent: true },
      schema: {
        tags,
        operationId: "replayMessage",
        summary: "Send a failed, undelivered or uncertain message again, as a new one",
        params: IdInPath,
        response: { 202: Accepted, ...problems },
      },
    },
    async (request, reply) => {
      const account = ownAccount(request);
      const id = messageId(request.params.id);
      const message = await looking.message(account, id);
      if (message === null) throw notFound("such message");
      // Its channel may have lost its provider since.
      setupOf(services, message.channel);
      const accepted = await sending.replay(account, id, seedOf(services, request));
      if (accepted === null) throw notFound("such message");
      return reply.code(202).send(acceptedJson(accepted));
    },
  );
};
