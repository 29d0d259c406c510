import { Type, type Static } from "typebox";
import { MESSAGE_STATES } from "../../domain/message.ts";
import {
  AccountId,
  ChannelName,
  Closed,
  Cursor,
  Id,
  Limit,
  Moment,
  MomentOrNull,
  orNull,
  PageOf,
  Priority,
} from "./parts.ts";

const State = Type.Enum([...MESSAGE_STATES]);

const Attempt = Closed({
  number: Type.Integer(),
  started_at: Moment,
  outcome: Type.Enum(["sent", "transient", "throttled", "permanent", "uncertain", "not_called"]),
  provider: Type.String(),
  provider_id: Type.Optional(Type.String()),
  error: Type.Optional(Type.String()),
});

export const Message = Closed({
  id: Id("msg"),
  account_id: Id("acc"),
  channel: ChannelName,
  status: State,
  priority: Priority,
  from: Type.String(),
  to: Type.String(),
  content: orNull(
    Type.Record(Type.String(), Type.Unknown(), { description: "Null once its own retention has passed" }),
  ),
  created_at: Moment,
  send_at: MomentOrNull,
  expires_at: MomentOrNull,
  ended_at: MomentOrNull,
  reference: orNull(Type.String()),
  metadata: orNull(Type.Record(Type.String(), Type.Unknown())),
  batch_id: orNull(Type.String()),
  attempts: Type.Array(Attempt),
  held_by: orNull(Type.String()),
  estimated_send_at: MomentOrNull,
  position: orNull(Type.Integer({ description: "At most this many of its lane go before it and including it" })),
  reason: orNull(Type.String({ description: "Why it ended as it did" })),
  provider_id: orNull(Type.String()),
});
export type Message = Static<typeof Message>;

export const Messages = PageOf(Message);
export const LookQuery = Closed({ account_id: Type.Optional(AccountId) });
export const MessagesQuery = Closed({
  account_id: Type.Optional(AccountId),
  status: Type.Optional(State),
  channel: Type.Optional(ChannelName),
  batch_id: Type.Optional(Type.String({ maxLength: 64 })),
  reference: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  cursor: Type.Optional(Cursor),
  limit: Type.Optional(Limit),
});
export const ChannelMessagePath = Closed({ channel: Type.String(), id: Type.String() });
export const Canceled = Closed({ id: Id("msg"), status: Type.Enum(["canceled"]) });
export const CanceledBatch = Closed({
  id: Id("bat"),
  canceled: Type.Integer(),
  left: Type.Integer({ description: "Messages that had left, or had ended otherwise" }),
});

const counted = Object.fromEntries(MESSAGE_STATES.map((state) => [state, Type.Optional(Type.Integer())]));
export const Batch = Closed({
  id: Id("bat"),
  total: Type.Integer(),
  created_at: Moment,
  counts: Closed(counted, "Messages by status"),
});

const suppressionFields = {
  channel: ChannelName,
  address: Type.String({ minLength: 1, maxLength: 254, description: "An email address, or E.164" }),
};
export const NewSuppression = Closed({
  ...suppressionFields,
  reason: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
});
export const Suppression = Closed({ ...suppressionFields, reason: Type.String(), created_at: Moment });
export const Suppressions = PageOf(Suppression);
export const SuppressionsQuery = Closed({
  account_id: Type.Optional(AccountId),
  channel: Type.Optional(ChannelName),
  address: Type.Optional(suppressionFields.address),
  cursor: Type.Optional(Cursor),
  limit: Type.Optional(Limit),
});
export const SuppressionQuery = Closed({ account_id: Type.Optional(AccountId), ...suppressionFields });
