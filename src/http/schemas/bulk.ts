/** A bulk request, twice: as it is told to readers, and as it is held to at first, before each message is alone. */
import { Type, type TSchema } from "typebox";
import { Closed } from "./parts.ts";
import { whenFields } from "./send.ts";

export const MOST_MESSAGES = 1_000;
export const MOST_RECIPIENTS = 10_000;

const alternatives = (messages: TSchema, template: TSchema, recipients: TSchema) => ({
  messages: Type.Optional(Type.Array(messages, { minItems: 1, maxItems: MOST_MESSAGES })),
  template: Type.Optional(template),
  recipients: Type.Optional(Type.Array(recipients, { minItems: 1, maxItems: MOST_RECIPIENTS })),
  ...whenFields,
});

/** For the document. */
export const BulkOf = (message: TSchema, template: TSchema, recipient: TSchema) =>
  Closed(
    alternatives(message, template, recipient),
    "Either messages, or a template with recipients; what stands beside a template goes for all of them",
  );

/** What is wrong with the request as a whole refuses the whole; each message is looked at by itself later. */
export const BulkAsAWhole = Closed(alternatives(Type.Unknown(), Type.Unknown(), Type.Unknown()));
