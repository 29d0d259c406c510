import { Type, type Static } from "typebox";
import { ChannelName, Closed, Id, Moment, MomentOrNull, orNull, Priority, Time } from "./parts.ts";

/** One message, headers included. Also the cap on each text in it, in characters. */
export const LARGEST_MESSAGE = 262_144;
/** RFC 5322's line. */
export const LONGEST_LINE = 998;
/** What Twilio takes in one message, whatever the channel. */
export const LONGEST_TEXT = 1_600;
/** What Twilio says in one <Say>. */
const LONGEST_SAYING = 4_096;

/** 254 is the longest address SMTP carries; with a display name it may be twice that. Checked before any parser sees it. */
const Address = Type.String({ minLength: 1, maxLength: 254 });
const Mailbox = Type.String({
  minLength: 1,
  maxLength: 508,
  description: "An address, or a name and an address: Ann <ann@example.com>",
});
const PhoneNumber = Type.String({ minLength: 1, maxLength: 32, description: "E.164, such as +9779812345678" });
const From = Type.Optional(PhoneNumber);

export const whenFields = {
  priority: Type.Optional(Priority),
  send_at: Type.Optional(Time),
  expires_at: Type.Optional(Time),
  ttl: Type.Optional(Type.Integer({ minimum: 1, maximum: 31_622_400, description: "Seconds; instead of expires_at" })),
};
const labelFields = {
  reference: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: "Your own id, to list by" })),
  metadata: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description: "Any object of at most 4 KB; given back with the message",
    }),
  ),
};
const optionFields = {
  ...whenFields,
  on_late: Type.Optional(
    Type.Enum(["accept", "reject"], { description: "reject: 409 when it cannot go before it expires" }),
  ),
  ...labelFields,
};

const subject = Type.String({ maxLength: LONGEST_LINE });
const MailText = Type.Optional(Type.String({ maxLength: LARGEST_MESSAGE }));
const mailFields = {
  from: Mailbox,
  subject,
  text: MailText,
  html: MailText,
  reply_to: Type.Optional(Mailbox),
  headers: Type.Optional(
    Type.Record(Type.String(), Type.String({ maxLength: LONGEST_LINE }), {
      maxProperties: 50,
      description: "Further headers, such as List-Unsubscribe",
    }),
  ),
};
const body = Type.String({ minLength: 1, maxLength: LONGEST_TEXT });

export const EmailMessage = Closed({ ...mailFields, to: Address, ...optionFields }, "An email; text or html or both");
export const TextMessage = Closed({ from: From, to: PhoneNumber, body, ...optionFields }, "An SMS or WhatsApp message");
export const VoiceMessage = Closed(
  {
    from: From,
    to: PhoneNumber,
    say: Type.String({ minLength: 1, maxLength: LONGEST_SAYING }),
    voice: Type.Optional(
      Type.String({ pattern: "^[A-Za-z][A-Za-z0-9._-]{0,63}$", description: "Such as alice or Polly.Joanna" }),
    ),
    language: Type.Optional(
      Type.String({ pattern: "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$", description: "Such as en-GB" }),
    ),
    ...optionFields,
  },
  "A call that says a text",
);
export type EmailMessage = Static<typeof EmailMessage>;
export type TextMessage = Static<typeof TextMessage>;
export type VoiceMessage = Static<typeof VoiceMessage>;

export const EmailTemplate = Closed(
  mailFields,
  "{{name}} stands for a recipient's variable, in subject, text and html; other double braces are refused",
);
export const TextTemplate = Closed(
  { from: From, body: Type.String({ minLength: 1, maxLength: LONGEST_TEXT }) },
  "{{name}} stands for a recipient's variable, in body; other double braces are refused",
);
export type EmailTemplate = Static<typeof EmailTemplate>;
export type TextTemplate = Static<typeof TextTemplate>;

const variables = Type.Optional(
  Type.Record(Type.String(), Type.String({ maxLength: 16_384 }), {
    maxProperties: 100,
    description: "Escaped where the template is html",
  }),
);
export const EmailRecipient = Closed({ to: Address, variables, ...labelFields });
export const TextRecipient = Closed({ to: PhoneNumber, variables, ...labelFields });
export type Recipient = Static<typeof EmailRecipient>;

const Status = Type.Enum(["queued", "throttled", "scheduled", "suppressed"]);
export const Accepted = Closed({
  id: Id("msg"),
  channel: ChannelName,
  status: Status,
  held_by: orNull(
    Type.String({ description: "email.day, all.month, sender.hour, rate, paused, provider, failover or schedule" }),
  ),
  estimated_send_at: MomentOrNull,
  created_at: Moment,
});
export type Accepted = Static<typeof Accepted>;

const Refused = Closed({
  code: Type.String(),
  detail: Type.String(),
  errors: Type.Array(Closed({ field: Type.String(), expected: Type.String(), got: Type.String() })),
});
export type Refused = Static<typeof Refused>;
export const BulkAnswer = Closed({
  batch_id: Id("bat"),
  accepted: Type.Integer(),
  rejected: Type.Integer(),
  results: Type.Array(Type.Union([Closed({ id: Id("msg"), status: Status }), Closed({ error: Refused })]), {
    description: "One for each message or recipient, in order",
  }),
});
