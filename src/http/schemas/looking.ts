import { Type, type Static } from "typebox";
import { AccountId, byChannel, ChannelName, Closed, Moment, MomentOrNull, orNull, Time } from "./parts.ts";

const Use = Closed({
  limit: orNull(Type.Integer()),
  used: Type.Integer({ description: "Charged in the window that is running" }),
  held: Type.Integer({ description: "Released, outcome not known yet" }),
  remaining: orNull(Type.Integer()),
  starts_at: Moment,
  resets_at: Moment,
});
const Level = Closed({ minute: Use, hour: Use, day: Use, month: Use });
export type Level = Static<typeof Level>;
export const QuotaReport = Closed({
  ...byChannel(Level),
  all: Level,
  senders: Type.Record(Type.String(), Closed(byChannel(Type.Optional(Level))), {
    description: "Senders that have a rule of their own",
  }),
});
export type QuotaReport = Static<typeof QuotaReport>;

const Queue = Closed({
  queued: Type.Integer(),
  throttled: Type.Integer(),
  scheduled: Type.Integer(),
  sending: Type.Integer(),
  oldest_at: MomentOrNull,
  rate_per_second: orNull(Type.Number()),
  drains_at: orNull(
    Type.String({
      description:
        "RFC 3339 in the account's time zone: when the last that waits will have gone, by quotas and rates but senders' own. Null: nobody can say",
    }),
  ),
  paused: Type.Boolean(),
  jobs: Type.Optional(Type.Record(Type.String(), Type.Integer(), { description: "BullMQ's own counts, in the sums" })),
});
export const QueueReport = Closed(byChannel(Queue));
export type QueueReport = Static<typeof QueueReport>;

export const WindowsQuery = Closed({
  account_id: Type.Optional(AccountId),
  timezone: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: "The account's when absent" })),
  at: Type.Optional(Time),
});
const UtcWindow = Closed(
  { starts_at: Type.String(), ends_at: Type.String() },
  "UTC, with milliseconds: [starts_at, ends_at)",
);
export const Windows = Closed({ hour: UtcWindow, day: UtcWindow, tz_version: Type.String() });

export const UsageQuery = Closed({
  account_id: Type.Optional(AccountId),
  channel: Type.Optional(ChannelName),
  from: Type.Optional(Time),
  to: Type.Optional(Time),
  by: Type.Optional(Type.Enum(["hour", "day"])),
});
export const Usage = Closed({
  items: Type.Array(
    Closed({
      starts_at: Moment,
      channel: ChannelName,
      sent: Type.Integer(),
      failed: Type.Integer(),
      uncertain: Type.Integer({ description: "Attempts of which nobody knew; each is charged" }),
      throttled: Type.Integer({ description: "Attempts to which a provider said slow down" }),
    }),
  ),
});

export const Alive = Closed({ status: Type.Enum(["ok"]) });
export const Ready = Closed({
  status: Type.Enum(["ready", "not_ready"]),
  reasons: Type.Array(Type.String()),
  redis: Closed({ reachable: Type.Boolean(), version: orNull(Type.String()) }),
  persistence: Closed({
    append_only: Type.Boolean(),
    fsync: orNull(Type.String()),
    eviction: orNull(Type.String()),
  }),
  durability: Closed(
    {
      promised: orNull(Type.Enum(["process", "power"])),
      given: orNull(Type.Enum(["none", "process", "power"])),
      how: Type.String(),
    },
    "What a 202 outlives: the death of any process, or power loss too",
  ),
  memory: orNull(
    Closed(
      {
        used: Type.Integer(),
        limit: orNull(Type.Integer({ description: "maxmemory; null: none is set, and nobody is turned away" })),
        shedding: Type.Boolean({ description: "Nearly full: enqueueing answers 503 overloaded" }),
      },
      "Bytes of Redis",
    ),
  ),
  api_limits: Closed(
    {
      policy: Type.String(),
      counted_by: Type.Enum(["redis", "process"]),
      since: orNull(Type.String({ description: "RFC 3339, UTC" })),
    },
    "process: Redis does not answer, and each process counts for itself; those of tokens let next to nothing through",
  ),
  failover: orNull(
    Closed(
      {
        held: Type.Boolean({ description: "Nothing is sent until the workers have said what they know" }),
        moves: Type.Integer({ description: "How often Redis answered as another server, or with older data" }),
        lost_moves: Type.Integer({ description: "Of these, how often something that was acknowledged was missing" }),
        last_lost_at: MomentOrNull,
        restored: Type.Integer({ description: "Messages of which something was put back" }),
      },
      "What has become of failovers, ever",
    ),
  ),
  workers: Type.Integer(),
  tz_release: Type.String(),
});

export const ArrivalsQuery = Closed({
  channel: Type.Optional(ChannelName),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, description: "100 when absent" })),
});
export const Arrivals = Type.Array(
  Closed({
    channel: ChannelName,
    to: Type.String(),
    from: Type.String(),
    subject: Type.Optional(Type.String()),
    body: Type.Optional(Type.String()),
    received_at: Type.String({ description: "UTC" }),
    message_id: Type.String(),
  }),
);
