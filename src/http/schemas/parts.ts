/** What several schemas are made of. */
import { Type, type TProperties, type TSchema } from "typebox";
import { CHANNELS, CLASSES, type Channel } from "../../domain/channel.ts";
import { DEFAULT_PAGE, LARGEST_PAGE } from "../cursor.ts";

/** An object that refuses what it does not know. */
export const Closed = <Fields extends TProperties>(fields: Fields, description?: string) =>
  Type.Object(fields, { additionalProperties: false, ...(description === undefined ? {} : { description }) });

export const orNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);

export const ChannelName = Type.Enum([...CHANNELS]);
export const ChannelOrAll = Type.Enum([...CHANNELS, "all"]);
export const Priority = Type.Enum([...CLASSES], { description: "Urgent before bulk; normal when absent" });

/** As written by callers: parsed by domain/timestamp.ts, which wants an offset. */
export const Time = Type.String({
  maxLength: 64,
  description: "RFC 3339 with an offset, such as 2026-03-01T10:00:00+05:30",
});
/** As written by us. */
export const Moment = Type.String({ description: "RFC 3339 in the account's time zone" });
export const MomentOrNull = orNull(Moment);

export const Id = (kind: "msg" | "acc" | "key" | "bat" | "evt") => Type.String({ description: `${kind}_…` });

/** Of lists that always come whole: what is asked of them besides would be ignored. */
export const NoQuery = Closed({});

export const IdInPath = Closed({ id: Type.String({ minLength: 1 }) });
export const ChannelInPath = Closed({ channel: ChannelName });

export const Limit = Type.Integer({ minimum: 1, maximum: LARGEST_PAGE, description: `${DEFAULT_PAGE} when absent` });
export const Cursor = Type.String({ minLength: 1, maxLength: 1_024, description: "next_cursor of the page before" });
export const AccountId = Type.String({
  minLength: 1,
  maxLength: 64,
  description: "Which account: with the operator's key",
});

export const PageOf = <Item extends TSchema>(item: Item) =>
  Closed(
    { items: Type.Array(item), next_cursor: orNull(Type.String()) },
    "A page of a list; next_cursor is null on the last",
  );

/** Email, SMS, voice, WhatsApp: each with the same. */
export const byChannel = <Schema extends TSchema>(schema: Schema): { [channel in Channel]: Schema } => ({
  email: schema,
  sms: schema,
  voice: schema,
  whatsapp: schema,
});
