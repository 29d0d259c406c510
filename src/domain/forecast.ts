/**
 * When a waiting message is expected to go, and what holds it until then. An estimate: nobody knows what will be
 * enqueued before it, canceled or refused. Quotas are walked window by window (quota-walk.ts); the rate gives
 * each message that they let go a slot of its own.
 */
import type { Channel } from "./channel.ts";
import { leftOf, WINDOW_KINDS, type HeldBy, type QuotaUse, type WindowKind } from "./quota.ts";
import { walkQuotas, type Crowd, type Room } from "./quota-walk.ts";
import { instant, seconds, type Instant, type Millis } from "./time.ts";
import type { Window } from "./window.ts";

/** What is left of the message's quotas at one level; kinds without a limit may be left out. */
export interface ForecastLevel {
  readonly name: Channel | "all" | "sender";
  /** Messages of this level that go before it, those of its own lane among them. Only those, if it is not stated. */
  readonly ahead?: number;
  readonly quota: { readonly [kind in WindowKind]?: QuotaUse & { readonly window: Window } };
}

export interface ForecastQuestion {
  readonly now: Instant;
  /** In its lane: 1 is next. */
  readonly position: number;
  /** The account's zone as it is now: each window that has not begun is taken to be this zone's. */
  readonly zone: string;
  readonly levels: readonly ForecastLevel[];
  /** `roomIn` of the levels' quotas, where it is known already: whoever asks for many messages of one lane reckons it once. */
  readonly room?: number;
  /** Between two messages of the channel, and of the sender; null without a rate. */
  readonly intervalMs: Millis | null;
  readonly senderIntervalMs: Millis | null;
  /** When the first that goes before it may go by these rates; at once, if it is not stated. */
  readonly channelSlot?: Instant;
  readonly senderSlot?: Instant;
  /** Messages of any account that share the channel's rate and may go before it. Used only with `intervalMs`. */
  readonly channelAhead: number;
  /** Not due before (`send_at`, a retry): what is before it goes meanwhile. */
  readonly notBefore?: Instant;
  /** Until then its provider is closed, which stops what is before it too. */
  readonly closedUntil?: Instant;
  readonly paused: boolean;
}

export interface Forecast {
  /** Null when nobody can say: paused, a limit of 0, or more than some 400 days away. */
  readonly at: Instant | null;
  /** What holds it; null if it may go now. */
  readonly heldBy: HeldBy | null;
}

/** A rate that makes it wait no longer than this is the ordinary course of things, and holds nobody up. */
const NOT_WORTH_NAMING = seconds(1);

const roomsOf = (level: ForecastLevel): Room[] =>
  WINDOW_KINDS.flatMap((kind) => {
    const quota = level.quota[kind];
    if (!quota || quota.limit === null) return [];
    const { limit, window } = quota;
    return [{ heldBy: `${level.name}.${kind}` as const, kind, limit, left: leftOf(quota), window }];
  });

const byLength = (rooms: readonly Room[]): Room[] =>
  rooms.toSorted((a, b) => WINDOW_KINDS.indexOf(a.kind) - WINDOW_KINDS.indexOf(b.kind));

interface CrowdBefore extends Crowd {
  /** Whether it shares the channel's rate: the account's other channels do not. */
  readonly onChannel: boolean;
  /** Whether it shares the sender's. */
  readonly ofSender: boolean;
}

type LevelRooms = Pick<ForecastLevel, "name" | "ahead"> & { readonly rooms: readonly Room[] };

const crowdOf = (levels: readonly LevelRooms[], size: number): CrowdBefore => ({
  rooms: byLength(levels.flatMap((level) => level.rooms)),
  remaining: size,
  taken: 0,
  onChannel: levels.some(({ name }) => name !== "all"),
  ofSender: levels.some(({ name }) => name === "sender"),
});

/**
 * Whoever goes before the message, by the quotas they need: its own lane needs them all, another sender's messages not
 * its sender's, another channel's only the account's.
 */
const crowdsBefore = (position: number, levels: readonly LevelRooms[]): CrowdBefore[] => {
  const crowds: CrowdBefore[] = [{ ...crowdOf(levels, position - 1), onChannel: true, ofSender: true }];
  let counted = position - 1;
  const narrowFirst = levels.toSorted((a, b) => (a.ahead ?? 0) - (b.ahead ?? 0));
  for (const [i, { ahead = 0 }] of narrowFirst.entries()) {
    if (ahead > counted) crowds.push(crowdOf(narrowFirst.slice(i), ahead - counted));
    counted = Math.max(counted, ahead);
  }
  return crowds;
};

/**
 * For how many more messages every one of these quotas has room in the window that runs. 0 where one has ended: only the walk can
 * tell then.
 */
export const roomIn = (quotas: readonly ForecastLevel["quota"][], now: Instant): number => {
  let room = Number.POSITIVE_INFINITY;
  for (const quota of quotas)
    for (const kind of WINDOW_KINDS) {
      const one = quota[kind];
      if (one === undefined || one.limit === null) continue;
      if (one.window.endsAt <= now) return 0;
      room = Math.min(room, leftOf(one));
    }
  return room;
};

/**
 * When every quota has room, in the window that runs, for all who go before the message and for itself: then the walk would end
 * where it begins, and only the rates are left. So it is for most messages most of the time, and it is asked for each of them.
 * Null: the walk must tell.
 */
const withoutWaiting = (question: ForecastQuestion): Forecast | null => {
  const { now, levels, channelAhead, intervalMs, senderIntervalMs } = question;
  const { notBefore = now, closedUntil = now, channelSlot = now, senderSlot = now } = question;
  if (notBefore > now || closedUntil > now) return null;
  const inLane = Math.max(1, question.position) - 1;
  let all = inLane;
  let onChannel = Math.max(inLane, channelAhead);
  let ofSender = inLane;
  for (const { name, ahead = 0 } of levels) {
    all = Math.max(all, ahead);
    if (name !== "all") onChannel = Math.max(onChannel, ahead);
    if (name === "sender") ofSender = Math.max(ofSender, ahead);
  }
  const room =
    question.room ??
    roomIn(
      levels.map(({ quota }) => quota),
      now,
    );
  if (room <= all) return null;
  const byChannel = channelSlot + onChannel * (intervalMs ?? 0);
  const at = instant(Math.ceil(Math.max(now, byChannel, senderSlot + ofSender * (senderIntervalMs ?? 0))));
  return { at, heldBy: at - now >= NOT_WORTH_NAMING ? "rate" : null };
};

export const forecast = (question: ForecastQuestion): Forecast => {
  const { now, zone, intervalMs, senderIntervalMs } = question;
  if (question.paused) return { at: null, heldBy: "paused" };
  const soon = withoutWaiting(question);
  if (soon !== null) return soon;
  const levels = question.levels.map((level) => ({ name: level.name, ahead: level.ahead ?? 0, rooms: roomsOf(level) }));
  const rooms = byLength(levels.flatMap((level) => level.rooms));
  const never = rooms.find((room) => room.limit < 1);
  if (never) return { at: null, heldBy: never.heldBy };

  const position = Math.max(1, question.position);
  const from = instant(Math.max(now, question.closedUntil ?? now));
  const earliest = instant(Math.max(from, question.notBefore ?? now));
  const crowds = crowdsBefore(position, levels);
  const channelFree = Math.max(from, question.channelSlot ?? from);
  const senderFree = Math.max(from, question.senderSlot ?? from);
  const paces = [
    { interval: intervalMs ?? 0, crowds: crowds.filter((crowd) => crowd.onChannel), free: channelFree },
    { interval: senderIntervalMs ?? 0, crowds: crowds.filter((crowd) => crowd.ofSender), free: senderFree },
  ];
  const byQuota = walkQuotas({ from, earliest, zone, crowds, rooms, paces });
  const heldBy = byQuota.heldBy ?? (from > now ? "provider" : null);
  if (byQuota.at === null) return { at: null, heldBy };

  const others = channelFree + question.channelAhead * (intervalMs ?? 0);
  const at = instant(Math.ceil(Math.max(byQuota.at, others, ...paces.map((pace) => pace.free))));
  const byRate = at - byQuota.heldUntil;
  // Named is what makes up the greater part of the wait.
  const rateHolds = byRate >= NOT_WORTH_NAMING && byRate > byQuota.heldUntil - now;
  return { at, heldBy: rateHolds ? "rate" : heldBy };
};
