import { Type, type Static } from "typebox";
import { AccountId, Closed, Cursor, Id, Limit, Moment, orNull, PageOf, Time } from "./parts.ts";

const Kind = Type.Enum(["rolling", "fixed", "clock"], {
  description:
    "rolling: in any span of the window's length; fixed: from the first request; clock: minutes, hours, days of UTC",
});

export const LimitsQuery = Closed({ account_id: Type.Optional(AccountId) });
const LimitStanding = Closed({
  rule: Type.String({ description: "Its name in the policy" }),
  kind: Kind,
  window_seconds: Type.Integer({ minimum: 1 }),
  limit: Type.Integer({ description: "Requests" }),
  used: Type.Integer(),
  remaining: Type.Integer(),
  resets_at: orNull(Moment),
});
export const LimitsReport = Closed({
  policy: Type.String(),
  counted_by: Type.Enum(["redis", "process"], {
    description: "process: Redis is away, and each process counts for itself",
  }),
  items: Type.Array(LimitStanding),
});
export type LimitsReport = Static<typeof LimitsReport>;

export const ApiUsageQuery = Closed({
  account_id: Type.Optional(AccountId),
  from: Type.Optional(Time),
  to: Type.Optional(Time),
});
export const ApiUsage = Closed({
  items: Type.Array(
    Closed({
      starts_at: Type.String({ description: "RFC 3339, UTC: the beginning of an hour" }),
      rule: Type.String(),
      key_id: orNull(Id("key")),
      admitted: Type.Integer(),
      refused: Type.Integer(),
      shadow_refused: Type.Integer({ description: "Admitted, and would have been refused were the rule in force" }),
    }),
  ),
});

export const EventsQuery = Closed({ cursor: Type.Optional(Cursor), limit: Type.Optional(Limit) });
const LimitEvent = Closed({
  id: Id("evt"),
  type: Type.Enum(["api_limit.approached", "api_limit.reached"], { description: "At 80 and at 100 per cent" }),
  created_at: Type.String({ description: "RFC 3339, UTC" }),
  account_id: Type.String(),
  data: Closed({
    key_id: orNull(Type.String()),
    rule: Type.String(),
    threshold: Type.Enum([80, 100]),
    limit: Type.Integer(),
    used: Type.Integer(),
    window: Closed({ kind: Kind, seconds: Type.Integer() }),
    resets_at: Type.String(),
    shadow: Type.Boolean({ description: "Nobody was refused for it" }),
  }),
});
export const EventPage = PageOf(LimitEvent);
