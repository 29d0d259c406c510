import { channelNotConfigured, invalidFields } from "../../domain/errors.ts";
import type { Channel } from "../../domain/channel.ts";
import type { Problems } from "../../domain/expecting.ts";
import type { Draft } from "../../domain/message.ts";
import type { Instant } from "../../domain/time.ts";
import type { App } from "../access.ts";
import { ownAccount } from "../auth.ts";
import { READERS, type Drafting } from "../draft/draft.ts";
import { lateness } from "../draft/late.ts";
import { isTimed, type TimingFields } from "../draft/timing.ts";
import { seedOf } from "../idempotency.ts";
import { acceptedJson } from "../present/message.ts";
import { problems } from "../schemas/problem.ts";
import * as schemas from "../schemas/send.ts";
import type { ChannelSetup, Services } from "../services.ts";
import type { FastifyRequest } from "fastify";

export const sendConfig = { access: "account", scope: "send", idempotent: true } as const;

/** @throws channel_not_configured: production never pretends */
export const setupOf = ({ channels }: Services, channel: Channel): ChannelSetup => {
  const setup = channels[channel];
  if (!setup.configured) throw channelNotConfigured(channel, setup.variable);
  return setup;
};

/** Redis's time where a time was given, since that is the clock that will hold the message; else any will do. */
export const timeFor = async ({ looking, clock }: Services, asked: readonly TimingFields[]): Promise<Instant> =>
  asked.some(isTimed) ? looking.now() : clock.now();

/** The zone that an account reads times in. UTC for one that has just been taken away. */
export const zoneOf = async ({ accounts }: Services, account: string): Promise<string> =>
  (await accounts.get(account))?.timezone ?? "UTC";

const oneDraft = (read: (problems: Problems) => Draft): Draft => {
  const wrong: Problems = [];
  const draft = read(wrong);
  if (wrong.length > 0) throw invalidFields(wrong);
  return draft;
};

const schemaOf = <Body>(summary: string, body: Body) => ({
  tags: ["Sending"],
  summary,
  body,
  response: { 202: schemas.Accepted, ...problems },
});

export const sendRoutes = (app: App, services: Services): void => {
  const draftingFor = async (channel: Channel, fields: TimingFields): Promise<Drafting> => ({
    setup: setupOf(services, channel),
    now: await timeFor(services, [fields]),
  });

  const accept = async (request: FastifyRequest, draft: Draft, onLate: "accept" | "reject" | undefined) => {
    const account = ownAccount(request);
    if (onLate === "reject") {
      const late = await lateness(services.sending, account, await zoneOf(services, account), draft);
      if (late !== null) throw late;
    }
    const [accepted] = await services.sending.accept(account, [draft], seedOf(services, request));
    if (accepted === undefined) throw new Error("expected the gate to answer for the message it was given");
    return acceptedJson(accepted);
  };

  app.post(
    "/v1/email/send",
    { config: sendConfig, schema: schemaOf("Send an email", schemas.EmailMessage) },
    async (request, reply) => {
      const { body } = request;
      const drafting = await draftingFor("email", body);
      const draft = oneDraft((wrong) => READERS.email(body, drafting, wrong));
      return reply.code(202).send(await accept(request, draft, body.on_late));
    },
  );

  const textRoute = (channel: "sms" | "whatsapp", summary: string): void => {
    app.post(
      `/v1/${channel}/send`,
      { config: sendConfig, schema: schemaOf(summary, schemas.TextMessage) },
      async (request, reply) => {
        const { body } = request;
        const drafting = await draftingFor(channel, body);
        const draft = oneDraft((wrong) => READERS[channel](body, drafting, wrong));
        return reply.code(202).send(await accept(request, draft, body.on_late));
      },
    );
  };
  textRoute("sms", "Send an SMS");
  textRoute("whatsapp", "Send a WhatsApp message");

  app.post(
    "/v1/voice/call",
    { config: sendConfig, schema: schemaOf("Call and say a text", schemas.VoiceMessage) },
    async (request, reply) => {
      const { body } = request;
      const drafting = await draftingFor("voice", body);
      const draft = oneDraft((wrong) => READERS.voice(body, drafting, wrong));
      return reply.code(202).send(await accept(request, draft, body.on_late));
    },
  );
};
