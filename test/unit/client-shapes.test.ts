/** The client's types against the API's schemas. Compilation is the test: `npm run check:types` fails when they differ. */
import { expect, it } from "@jest/globals";
import type { Static, TSchema } from "typebox";
import type * as told from "../../src/client/messages.ts";
import type * as reports from "../../src/client/reports.ts";
import type * as limits from "../../src/http/schemas/limits.ts";
import type * as looking from "../../src/http/schemas/looking.ts";
import type * as messages from "../../src/http/schemas/message.ts";
import type * as sending from "../../src/http/schemas/send.ts";

/** `true` only where both have the same fields of the same types. */
type Equal<Ours, Theirs> = [Ours, keyof Ours] extends [Theirs, keyof Theirs]
  ? [Theirs, keyof Theirs] extends [Ours, keyof Ours]
    ? true
    : never
  : never;
type Same<Ours, Schema extends TSchema> = Equal<Ours, Static<Schema>>;

const compared: readonly true[] = [
  true satisfies Same<told.Email, typeof sending.EmailMessage>,
  true satisfies Same<told.Text, typeof sending.TextMessage>,
  true satisfies Same<told.Call, typeof sending.VoiceMessage>,
  true satisfies Same<told.EmailTemplate, typeof sending.EmailTemplate>,
  true satisfies Same<told.TextTemplate, typeof sending.TextTemplate>,
  true satisfies Same<told.Recipient, typeof sending.EmailRecipient>,
  true satisfies Same<told.Accepted, typeof sending.Accepted>,
  true satisfies Same<told.BulkAccepted, typeof sending.BulkAnswer>,
  true satisfies Same<told.Message, typeof messages.Message>,
  true satisfies Same<told.Page<told.Message>, typeof messages.Messages>,
  true satisfies Equal<Omit<told.Batch, "counts">, Omit<Static<typeof messages.Batch>, "counts">>,
  true satisfies Same<told.Suppression, typeof messages.Suppression>,
  true satisfies Same<reports.Quotas, typeof looking.QuotaReport>,
  true satisfies Same<reports.Queues, typeof looking.QueueReport>,
  true satisfies Same<reports.Windows, typeof looking.Windows>,
  true satisfies Same<reports.Usage, typeof looking.Usage>,
  true satisfies Same<reports.Limits, typeof limits.LimitsReport>,
  true satisfies Same<reports.ApiUsage, typeof limits.ApiUsage>,
];

it("the client's types are the schemas'", () => {
  expect(compared.every(Boolean)).toBe(true);
});
