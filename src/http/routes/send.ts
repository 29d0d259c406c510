import { channelNotConfigured, invalidFields, wouldExpire } from "../../domain/errors.ts";
import type { Channel } from "../../domain/channel.ts";
import type { Problems } from "../../domain/expecting.ts";
import type { Draft } from "../../domain/message.ts";
import type { App } from "../access.ts";
import { ownAccount } from "../auth.ts";
import { READERS, type Drafting } from "../draft/draft.ts";
import { lateOnes } from "../draft/late.ts";
import { isTimed, type TimingFields } from "../draft/timing.ts";
import { decidedFor, judgedAt, seedOf } from "../idempotency.ts";
import { acceptedJson } from "../present/message.ts";
import { problems } from "../schemas/problem.ts";
import * as schemas from "../schemas/send.ts";
import type { ChannelSetup, Services } from "../services.ts";
import type { FastifyReply, FastifyRequest } from "fastify";

export const sendConfig = { access: "account", scope: "send", idempotent: true } as const;

/** @throws channel_not_configured: production never pretends */
export const setupOf = ({ channels }: Services, channel: Channel): ChannelSetup => {
  const setup = channels[channel];
  if (!setup.configured) throw channelNotConfigured(channel, setup.variable);
  return setup;
};

/** The zone that an account reads times in. UTC for one that has just been taken away. */
export const zoneOf = async ({ accounts }: Services, account: string): Promise<string> =>
  (await accounts.get(account))?.timezone ?? "UTC";

const oneDraft = (read: (problems: Problems) => Draft): Draft => {
  const wrong: Problems = [];
  const draft = read(wrong);
  if (wrong.length > 0) throw invalidFields(wrong);
  return draft;
};

const schemaOf = <Body>(operationId: string, summary: string, body: Body) => ({
  tags: ["Sending"],
  operationId,
  summary,
  body,
  response: { 202: schemas.Accepted, ...problems },
});

type Fields = TimingFields & { readonly on_late?: "accept" | "reject" };
type Read = (drafting: Drafting, problems: Problems) => Draft;

export const sendRoutes = (app: App, services: Services): void => {
  const { sending } = services;

  const send = async (
    request: FastifyRequest,
    reply: FastifyReply,
    channel: Channel,
    fields: Fields,
    read: Read,
  ): Promise<schemas.Accepted> => {
    const setup = setupOf(services, channel);
    const judged = judgedAt(services, request, isTimed(fields));
    // Most say nothing of time, and a promise for each of them would be for nothing.
    const now = judged instanceof Promise ? await judged : judged;
    const draft = oneDraft((wrong) => read({ setup, now }, wrong));
    const account = ownAccount(request);
    if (fields.on_late === "reject") {
      const zone = await zoneOf(services, account);
      const [late] = await lateOnes(sending, account, zone, now, [{ draft, rejectLate: true }]);
      // One that an earlier run found in time may have gone by now.
      const inTime = await decidedFor(services, request, late === undefined ? true : null);
      if (late !== undefined && inTime === null) throw wouldExpire(...late[1]);
    }
    const [accepted] = await sending.accept(account, [draft], seedOf(services, request));
    if (accepted === undefined) throw new Error("expected the gate to answer for the message it was given");
    void reply.code(202);
    return acceptedJson(accepted);
  };

  app.post(
    "/v1/email/send",
    { config: sendConfig, schema: schemaOf("sendEmail", "Send an email", schemas.EmailMessage) },
    (request, reply) => {
      const { body } = request;
      return send(request, reply, "email", body, (drafting, wrong) => READERS.email(body, drafting, wrong));
    },
  );

  const textRoute = (channel: "sms" | "whatsapp", operationId: string, summary: string): void => {
    app.post(
      `/v1/${channel}/send`,
      { config: sendConfig, schema: schemaOf(operationId, summary, schemas.TextMessage) },
      (request, reply) => {
        const { body } = request;
        return send(request, reply, channel, body, (drafting, wrong) => READERS[channel](body, drafting, wrong));
      },
    );
  };
  textRoute("sms", "sendSms", "Send an SMS");
  textRoute("whatsapp", "sendWhatsapp", "Send a WhatsApp message");

  app.post(
    "/v1/voice/call",
    { config: sendConfig, schema: schemaOf("makeCall", "Call and say a text", schemas.VoiceMessage) },
    (request, reply) => {
      const { body } = request;
      return send(request, reply, "voice", body, (drafting, wrong) => READERS.voice(body, drafting, wrong));
    },
  );
};
