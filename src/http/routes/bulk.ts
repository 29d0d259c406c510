import type { FastifyRequest } from "fastify";
import { Type } from "typebox";
import { SluiceError, wouldExpire } from "../../domain/errors.ts";
import type { Draft } from "../../domain/message.ts";
import type { Instant } from "../../domain/time.ts";
import type { App } from "../access.ts";
import { ownAccount } from "../auth.ts";
import { createBulkReader, isTimedBulk, type BulkBody, type BulkChannel } from "../draft/bulk.ts";
import { lateOnes, type Candidate } from "../draft/late.ts";
import { BULK } from "../json-extent.ts";
import { decidedFor, judgedAt, seedOf } from "../idempotency.ts";
import { BulkAsAWhole, BulkOf } from "../schemas/bulk.ts";
import { problems } from "../schemas/problem.ts";
import * as schemas from "../schemas/send.ts";
import type { Services } from "../services.ts";
import { wholeBodyCompiler } from "../validate.ts";
import { sendConfig, setupOf, zoneOf } from "./send.ts";

const refusal = (error: SluiceError): schemas.Refused => ({
  code: error.code,
  detail: error.message,
  errors: [...(error.extra.errors ?? [])],
});

export const bulkRoutes = (app: App, services: Services, bodyLimit: number): void => {
  /** Those who would rather not go than go late are asked about; each is told of by itself. */
  const refuseLate = async (
    request: FastifyRequest,
    account: string,
    now: Instant,
    results: readonly (Candidate | SluiceError)[],
  ): Promise<readonly (Candidate | SluiceError)[]> => {
    const candidates = results.map((one) => (one instanceof SluiceError ? undefined : one));
    if (!candidates.some((one) => one?.rejectLate === true)) return results;
    const found = await lateOnes(services.sending, account, await zoneOf(services, account), now, candidates);
    // Ids are numbered by what is accepted: another run of the same request must accept the same.
    const late = new Map(await decidedFor(services, request, found));
    return results.map((one, place) => {
      const told = late.get(place);
      return told === undefined ? one : wouldExpire(...told);
    });
  };

  const route = (
    channel: BulkChannel,
    operationId: string,
    summary: string,
    document: ReturnType<typeof BulkOf>,
  ): void => {
    const read = createBulkReader(channel);

    const accept = async (request: FastifyRequest, body: BulkBody) => {
      const account = ownAccount(request);
      const setup = setupOf(services, channel);
      const now = await judgedAt(services, request, isTimedBulk(body));
      const length = Number(request.headers["content-length"] ?? Infinity);
      const bulk = await read(body, { now, setup }, length > schemas.LARGEST_MESSAGE);
      const results = await refuseLate(request, account, now, bulk.results);
      const drafts: Draft[] = results.flatMap((one) => (one instanceof SluiceError ? [] : [one.draft]));
      const batch = { channel, ...(bulk.template === undefined ? {} : { template: bulk.template }) };
      const { batchId, messages } = await services.sending.acceptBatch(
        account,
        batch,
        drafts,
        seedOf(services, request),
      );
      const inOrder = messages.values();
      return {
        batch_id: batchId,
        accepted: drafts.length,
        rejected: results.length - drafts.length,
        results: results.map((one) => {
          if (one instanceof SluiceError) return { error: refusal(one) };
          const accepted = inOrder.next().value;
          if (accepted === undefined) throw new Error("expected the gate to answer for every message of the batch");
          return { id: accepted.id, status: accepted.status };
        }),
      };
    };

    app.post(
      `/v1/${channel}/send/bulk`,
      {
        config: { ...sendConfig, extent: BULK },
        bodyLimit,
        // The document says all; what refuses the whole request is less (schemas/bulk.ts).
        validatorCompiler: wholeBodyCompiler(BulkAsAWhole),
        schema: {
          tags: ["Sending"],
          operationId,
          summary,
          body: Type.Unsafe<BulkBody>(document),
          response: { 202: schemas.BulkAnswer, ...problems },
        },
      },
      async (request, reply) => reply.code(202).send(await accept(request, request.body)),
    );
  };

  route(
    "email",
    "sendBulkEmail",
    "Send many emails",
    BulkOf(schemas.EmailMessage, schemas.EmailTemplate, schemas.EmailRecipient),
  );
  const texts = BulkOf(schemas.TextMessage, schemas.TextTemplate, schemas.TextRecipient);
  route("sms", "sendBulkSms", "Send many SMS", texts);
  route("whatsapp", "sendBulkWhatsapp", "Send many WhatsApp messages", texts);
};
