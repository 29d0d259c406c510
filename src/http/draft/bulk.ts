/** A bulk request, message by message: each is a draft or says why not, in the order in which they came. */
import type { Channel } from "../../domain/channel.ts";
import {
  invalidField,
  invalidFields,
  payloadTooLarge,
  type FieldError,
  type SluiceError,
} from "../../domain/errors.ts";
import type { Problems } from "../../domain/expecting.ts";
import type { Template } from "../../gate/sending.ts";
import * as schemas from "../schemas/send.ts";
import { checkerOf, type Check } from "../validate.ts";
import { readCommon, READERS, type Drafting } from "./draft.ts";
import type { Candidate } from "./late.ts";
import { stretches } from "./stretch.ts";
import { readMailTemplate, readTextTemplate, templatedDraft, type ReadTemplate } from "./templated.ts";
import { isTimed, type TimingFields } from "./timing.ts";

/** Calls have no bulk: a thousand telephones ringing at once is nobody's wish. */
export type BulkChannel = Exclude<Channel, "voice">;

export interface BulkBody extends TimingFields {
  readonly priority?: "high" | "normal" | "low";
  readonly messages?: readonly unknown[];
  readonly template?: unknown;
  readonly recipients?: readonly unknown[];
}

export interface ReadBulk {
  readonly template?: Template;
  readonly results: readonly (Candidate | SluiceError)[];
}

const eachOf = async <Result>(
  items: readonly unknown[],
  read: (item: unknown) => Result,
): Promise<readonly Result[]> => {
  const results: Result[] = [];
  const stretch = stretches();
  for (const item of items) {
    if (stretch.isOver()) await stretch.rest();
    results.push(read(item));
  }
  return results;
};

const READ = {
  email: { message: schemas.EmailMessage, template: schemas.EmailTemplate, recipient: schemas.EmailRecipient },
  sms: { message: schemas.TextMessage, template: schemas.TextTemplate, recipient: schemas.TextRecipient },
  whatsapp: { message: schemas.TextMessage, template: schemas.TextTemplate, recipient: schemas.TextRecipient },
} as const;

/** What is wrong with the request as a whole. */
const wholeProblem = ({ messages, template, recipients, ...beside }: BulkBody): SluiceError | null => {
  if (messages !== undefined && (template !== undefined || recipients !== undefined))
    return invalidField("messages", "either messages, or template and recipients", "both");
  if (messages !== undefined) {
    const [stray] = Object.keys(beside);
    return stray === undefined
      ? null
      : invalidField(stray, "it in each of the messages, or beside a template", "it beside messages");
  }
  if (template === undefined) return invalidField("messages", "messages, or template and recipients", undefined);
  return recipients === undefined ? invalidField("recipients", "a list beside the template", undefined) : null;
};

/** @param mayBeLarge whether its request is so large that it may be, or it need not be measured */
const isTooLarge = (item: unknown, mayBeLarge: boolean): boolean =>
  mayBeLarge && Buffer.byteLength(JSON.stringify(item)) > schemas.LARGEST_MESSAGE;

const within = (field: string, errors: readonly FieldError[]): readonly FieldError[] =>
  errors.map(({ field: inner, expected, got }) => ({
    field: inner === field ? field : `${field}.${inner}`,
    expected,
    got,
  }));

/** Whether times were asked for anywhere in it: with nonsense among it, for nothing is checked yet. */
export const isTimedBulk = (body: BulkBody): boolean =>
  isTimed(body) || (body.messages?.some((one) => typeof one === "object" && one !== null && isTimed(one)) ?? false);

export const createBulkReader = (channel: BulkChannel) => {
  const check: { readonly [part in "message" | "template" | "recipient"]: Check } = {
    message: checkerOf(READ[channel].message, "message"),
    template: checkerOf(READ[channel].template, "template"),
    recipient: checkerOf(READ[channel].recipient, "recipient"),
  };

  const readMessage = (item: unknown, drafting: Drafting, mayBeLarge: boolean): Candidate | SluiceError => {
    if (isTooLarge(item, mayBeLarge)) return payloadTooLarge("256 KB in a message");
    const errors = check.message(item);
    if (errors.length > 0) return invalidFields(errors);
    const wrong: Problems = [];
    // Checked in the line above: what is left of `unknown` is this channel's message.
    const message = item as schemas.EmailMessage & schemas.TextMessage;
    const draft = READERS[channel](message, drafting, wrong);
    return wrong.length > 0 ? invalidFields(wrong) : { draft, rejectLate: message.on_late === "reject" };
  };

  const readTemplate = (template: unknown, drafting: Drafting, wrong: Problems): ReadTemplate =>
    channel === "email"
      ? readMailTemplate(template as schemas.EmailTemplate, wrong)
      : readTextTemplate(template as schemas.TextTemplate, drafting.setup, wrong);

  /** @param mayBeLarge whether the request is so large that one message of it may be too large */
  return async (body: BulkBody, drafting: Drafting, mayBeLarge: boolean): Promise<ReadBulk> => {
    const whole = wholeProblem(body);
    if (whole !== null) throw whole;
    if (body.messages !== undefined)
      return { results: await eachOf(body.messages, (item) => readMessage(item, drafting, mayBeLarge)) };

    const errors = check.template(body.template);
    if (errors.length > 0) throw invalidFields(within("template", errors));
    const inTemplate: Problems = [];
    const template = readTemplate(body.template, drafting, inTemplate);
    const beside: Problems = [];
    const { class: priority, ...timing } = readCommon(body, drafting.now, beside);
    const wrong = [...within("template", inTemplate), ...beside];
    if (wrong.length > 0) throw invalidFields(wrong);

    const results = await eachOf(body.recipients ?? [], (item) => {
      if (isTooLarge(item, mayBeLarge)) return payloadTooLarge("256 KB in a recipient");
      const ofItem = check.recipient(item);
      if (ofItem.length > 0) return invalidFields(ofItem);
      const problems: Problems = [];
      const common = { class: priority, ...timing };
      const draft = templatedDraft(channel, template, item as schemas.Recipient, common, problems);
      return problems.length > 0 ? invalidFields(problems) : { draft, rejectLate: false };
    });
    return { template: template.template, results };
  };
};
