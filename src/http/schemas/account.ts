import { Type, type Static } from "typebox";
import { LARGEST_WEIGHT } from "../../domain/account-rules.ts";
import { MOST_REQUESTS } from "../../domain/api-limit-rules.ts";
import { LARGEST_QUOTA } from "../../domain/quota.ts";
import { byChannel, ChannelName, ChannelOrAll, Closed, Cursor, Id, Limit, Moment, orNull, PageOf } from "./parts.ts";

const QuotaNumber = Type.Unsafe<number | null>({
  type: ["integer", "null"],
  minimum: 0,
  maximum: LARGEST_QUOTA,
  description: "Messages per window of the account's calendar; null is unlimited, 0 sends nothing",
});

const kinds = {
  minute: Type.Optional(QuotaNumber),
  hour: Type.Optional(QuotaNumber),
  day: Type.Optional(QuotaNumber),
  month: Type.Optional(QuotaNumber),
};
export const Quota = Closed(kinds, "What is absent is not stated: the plan's value applies");
const quotaFields = byChannel(Type.Optional(Quota));
export const Quotas = Closed({ ...quotaFields, all: Type.Optional(Quota) });

export const SenderQuota = Closed({
  ...kinds,
  rate: Type.Optional(
    Type.Unsafe<string | null>({
      type: ["string", "null"],
      maxLength: 20,
      description: "Such as 1/s or 30/min; null is unlimited",
    }),
  ),
});

const Uncertain = Type.Enum(["hold", "resend"]);
const OnUncertain = Closed(
  { ...byChannel(Type.Optional(Uncertain)), voice: Type.Optional(Type.Enum(["hold"])) },
  "What becomes of a message whose outcome nobody knows; where nothing is said, a mail is resent, and the others are held",
);

export const Name = Type.String({ minLength: 1, maxLength: 100 });
const Zone = Type.String({ minLength: 1, maxLength: 64, description: "An IANA time zone, such as Asia/Kathmandu" });

const Requests = Type.Integer({ minimum: 1, maximum: MOST_REQUESTS });
export const ApiLimit = Closed(
  { minute: Type.Optional(Requests), hour: Type.Optional(Requests) },
  "HTTP requests per window; one that is absent is not stated",
);
/** One schema and no union, of which every branch would complain. */
export const ApiLimitOrNull = Type.Unsafe<Static<typeof ApiLimit> | null>({ ...ApiLimit, type: ["object", "null"] });

export const NewAccount = Closed({
  name: Name,
  timezone: Zone,
  plan: Type.Optional(Type.Unsafe<string | null>({ type: ["string", "null"], maxLength: 100 })),
  quotas: Type.Optional(Quotas),
  weight: Type.Optional(Type.Unsafe<number | null>({ type: ["integer", "null"], minimum: 1, maximum: LARGEST_WEIGHT })),
  on_uncertain: Type.Optional(OnUncertain),
  api_limit: Type.Optional(ApiLimitOrNull),
  api_ceiling: Type.Optional(ApiLimitOrNull),
});

export const AccountPatch = Type.Partial(NewAccount, { additionalProperties: false, minProperties: 1 });

const accountFields = {
  id: Id("acc"),
  name: Type.String(),
  timezone: Type.String(),
  plan: orNull(Type.String()),
  weight: Type.Integer(),
  quotas: Quotas,
  effective_quotas: Quotas,
  on_uncertain: OnUncertain,
  api_limit: ApiLimitOrNull,
  api_ceiling: ApiLimitOrNull,
  paused: Type.Array(ChannelName),
  status: Type.Enum(["active", "removing"]),
  created_at: Moment,
};
export const Account = Closed(accountFields);
export type Account = Static<typeof Account>;

export const PatchedAccount = Closed({
  ...accountFields,
  effective_from: Type.Optional(
    Closed(
      { hour: Moment, day: Moment, month: Moment },
      "After a change of time zone: each window that is running ends as it began, then the new zone's begins",
    ),
  ),
});

export const AccountPage = PageOf(Account);
export const ListQuery = Closed({ cursor: Type.Optional(Cursor), limit: Type.Optional(Limit) });
export const RemoveQuery = Closed({ force: Type.Optional(Type.Boolean({ description: "Cancel what waits" })) });
export const Removing = Closed({ id: Id("acc"), status: Type.Enum(["removing"]) });

export const QuotaPath = Closed({ id: Type.String(), channel: ChannelOrAll });
export const QuotaAnswer = Closed({
  account_id: Id("acc"),
  channel: ChannelOrAll,
  ...kinds,
  effective: Quota,
});
export const SenderPath = Closed({ id: Type.String(), sender: Type.String({ minLength: 1 }), channel: ChannelName });
export const SenderRule = Closed({
  account_id: Id("acc"),
  channel: ChannelName,
  sender: Type.String(),
  ...kinds,
  rate: orNull(Type.String()),
});
export const SenderRules = PageOf(SenderRule);
export const AccountChannelPath = Closed({ id: Type.String(), channel: ChannelName });
export const ChannelState = Closed({ channel: ChannelName, paused: Type.Boolean() });
