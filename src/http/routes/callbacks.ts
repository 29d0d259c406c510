/** What providers tell by themselves. Theirs is no key but a signature, over the address that they were given. */
import { Type } from "typebox";
import type { FastifyRequest } from "fastify";
import { forbidden, notFound } from "../../domain/errors.ts";
import { isId } from "../../domain/id.ts";
import type { App } from "../access.ts";
import { readFormBodies } from "../form-body.ts";
import { CallbackQuery, TwilioForm } from "../schemas/callback.ts";
import { problems } from "../schemas/problem.ts";
import type { Form, Services, TwilioCallbacks } from "../services.ts";
import { validatorCompiler } from "../validate.ts";

/** Twilio's are below 2 KB. */
const LARGEST_FORM = 65_536;

/** HMAC-SHA1 in base64: whatever else comes in the header's place is refused before its body is read. */
const SIGNATURE = /^[A-Za-z0-9+/]{27}=$/;

const notSigned = () => forbidden("expected a request that Twilio has signed, for the address that it was given");

export const callbackRoutes = (app: App, services: Services): void => {
  const theCallbacks = (): TwilioCallbacks => {
    const { twilio } = services.callbacks;
    if (twilio === null) throw notFound("address for Twilio: TWILIO_ACCOUNT_SID and PUBLIC_URL are not both set");
    return twilio;
  };

  const theSignature = ({ headers }: FastifyRequest): string => {
    const signature = headers["x-twilio-signature"];
    if (typeof signature !== "string" || !SIGNATURE.test(signature)) throw notSigned();
    return signature;
  };

  void app.register(async (own: App) => {
    readFormBodies(own);
    own.post(
      "/v1/callbacks/twilio/status",
      {
        config: { access: "anyone" },
        bodyLimit: LARGEST_FORM,
        schema: {
          tags: ["Callbacks"],
          operationId: "hearTwilioStatus",
          summary: "What became of a message, told and signed by Twilio",
          consumes: ["application/x-www-form-urlencoded"],
          querystring: CallbackQuery,
          body: TwilioForm,
          response: { 204: Type.Null({ description: "Heard" }), ...problems },
        },
        // The signature vouches for the form, and providers/ takes from it what it knows.
        validatorCompiler: (part) => (part.httpPart === "body" ? (value) => ({ value }) : validatorCompiler(part)),
        onRequest: async (request) => {
          theCallbacks();
          theSignature(request);
        },
        preValidation: async (request) => {
          const form = (request.body ?? {}) as Form;
          if (!theCallbacks().isSigned(request.raw.url ?? "", form, theSignature(request))) throw notSigned();
        },
      },
      async (request, reply) => {
        const { message_id: id } = request.query;
        // Which ids there are is nobody's business: an unknown one is answered as any other.
        if (id !== undefined && isId("msg", id)) await theCallbacks().heard(id, request.body ?? {});
        return reply.code(204).send(null);
      },
    );
  });
};
