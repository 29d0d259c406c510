/** A message as a caller wrote it, held to everything a schema cannot say, to a draft that the gate may take. */
import type { Channel } from "../../domain/channel.ts";
import { unmet, type Problems } from "../../domain/expecting.ts";
import { senderKey } from "../../domain/address.ts";
import type { Draft } from "../../domain/message.ts";
import type { Instant } from "../../domain/time.ts";
import type { EmailMessage, TextMessage, VoiceMessage } from "../schemas/send.ts";
import type { ChannelSetup } from "../services.ts";
import { readMail } from "./mail.ts";
import { readPhoneSender, readRecipient } from "./recipient.ts";
import { isTimed, readTiming, type TimingFields } from "./timing.ts";

/** Serialised. It is stored with every message. */
const LARGEST_METADATA = 4_096;

export interface Drafting {
  readonly now: Instant;
  readonly setup: ChannelSetup;
}

type LabelFields = Pick<EmailMessage, "reference" | "metadata">;
type CommonFields = TimingFields & LabelFields & Pick<EmailMessage, "priority">;

/** What a caller knows a message by. */
export const readLabels = (
  { reference, metadata }: LabelFields,
  problems: Problems,
): Pick<Draft, "reference" | "metadata"> => {
  if (metadata !== undefined && Buffer.byteLength(JSON.stringify(metadata)) > LARGEST_METADATA)
    unmet(problems, "metadata", "an object of at most 4 KB", metadata);
  return {
    ...(reference === undefined ? undefined : { reference }),
    ...(metadata === undefined ? undefined : { metadata }),
  };
};

/** What messages of all channels have. */
export const readCommon = (
  fields: CommonFields,
  now: Instant,
  problems: Problems,
): Pick<Draft, "class" | "sendAt" | "expiresAt" | "reference" | "metadata"> => {
  const { priority = "normal" } = fields;
  return {
    class: priority,
    ...(isTimed(fields) ? readTiming(fields, now, problems) : undefined),
    ...readLabels(fields, problems),
  };
};

type Reader<Fields> = (fields: Fields, drafting: Drafting, problems: Problems) => Draft;

const emailDraft: Reader<EmailMessage> = (fields, { now }, problems) => {
  const { address, content } = readMail(fields, problems);
  const recipient = readRecipient("email", fields.to, problems);
  return {
    channel: "email",
    sender: senderKey(address ?? ""),
    recipient,
    content: Object.assign(content, { to: recipient }),
    ...readCommon(fields, now, problems),
  };
};

const phoneDraft = (
  channel: Channel,
  fields: CommonFields & { from?: string; to: string },
  content: Draft["content"],
  { now, setup }: Drafting,
  problems: Problems,
): Draft => ({
  channel,
  sender: readPhoneSender(fields.from, setup, problems),
  recipient: readRecipient(channel, fields.to, problems),
  content,
  ...readCommon(fields, now, problems),
});

const textDraft =
  (channel: "sms" | "whatsapp"): Reader<TextMessage> =>
  (fields, drafting, problems) =>
    phoneDraft(channel, fields, { body: fields.body }, drafting, problems);

const voiceDraft: Reader<VoiceMessage> = (fields, drafting, problems) => {
  const { say, voice, language } = fields;
  const content = { say, ...(voice === undefined ? {} : { voice }), ...(language === undefined ? {} : { language }) };
  return phoneDraft("voice", fields, content, drafting, problems);
};

export const READERS = {
  email: emailDraft,
  sms: textDraft("sms"),
  whatsapp: textDraft("whatsapp"),
  voice: voiceDraft,
} as const;
