/** Where a waiting message stands, what holds it and when it will go: from what `look` read, without asking again. */
import { CLASSES, type Channel, type Class } from "../domain/channel.ts";
import { forecast, roomIn, type Forecast, type ForecastLevel, type ForecastQuestion } from "../domain/forecast.ts";
import { WINDOW_KINDS, type HeldBy, type WindowKind } from "../domain/quota.ts";
import { instant, type Instant, type Millis } from "../domain/time.ts";
import { countIn, type Fields } from "../redis/reply.ts";
import type { Look } from "../redis/scripts/look.ts";
import { counterOf, type Counter } from "./counter.ts";
import type { Company } from "./sending.ts";

export type Lane = { readonly channel: Channel; readonly class: Class };

const interval = (row: Fields): Millis | null =>
  row["interval"] === undefined ? null : (Number(row["interval"]) as Millis);

export const levelUse = (row: Fields, zone: string, now: Instant): { readonly [kind in WindowKind]: Counter } =>
  Object.fromEntries(WINDOW_KINDS.map((kind) => [kind, counterOf(row, kind, zone, now)])) as Record<
    WindowKind,
    Counter
  >;

/** Its number less what has been taken from the lane since: at most so many go up to and including it. */
export const positionOf = (number: number, look: Look): number => Math.max(1, number - countIn(look.lane, "popped"));

type Quota = ForecastLevel["quota"];

/** Only what has a limit can hold anything up, and of the others a calendar would have to be asked for the window. */
const limitsOf = (row: Fields, { zone, now }: Look): Quota => {
  const quota: { [kind in WindowKind]?: Counter } = {};
  for (const kind of WINDOW_KINDS)
    if (row[`${kind}.limit`] !== undefined) quota[kind] = counterOf(row, kind, zone, now);
  return quota;
};

/** What is the same for all messages of a lane that were looked at together: read once for all of them (scripts/accept.ts). */
interface Surroundings {
  readonly of: Lane;
  /** Of the account on the channel: messages that are more urgent, and those of its other lanes that are as urgent. */
  readonly urgent: number;
  readonly besides: number;
  readonly channelRate: Millis | null;
  readonly senderRate: Millis | null;
  /** When the next of their slots may be had, but for what is released and waits for one of the channel's. */
  readonly channelSlot: Instant;
  readonly senderSlot: Instant;
  /** On the channel: messages that BullMQ has, and those of other accounts that nothing holds up. */
  readonly released: number;
  readonly others: number;
  readonly paused: boolean;
  readonly closedUntil: Instant;
  readonly quotas: { readonly sender: Quota; readonly channel: Quota; readonly account: Quota };
  /** For how many messages all of them have room. */
  readonly room: number;
}

const isPaused = (look: Look): boolean =>
  look.removed || countIn(look.accountOnChannel, "paused") === 1 || countIn(look.channelRate, "paused") === 1;

const free = (row: Fields): number => countIn(row, "queued") - countIn(row, "throttled");

/** What is released and not begun (`out`) is before the next. */
const nextSlot = (row: Fields, out: number, { now }: Look): Instant => {
  const between = interval(row);
  if (between === null) return now;
  return instant(Math.max(now, countIn(row, "last") + between) + out * between);
};

const around = (look: Look, lane: Lane): Surroundings => {
  let urgent = 0;
  for (const name of CLASSES) {
    if (name === lane.class) break;
    urgent += countIn(look.accountOnChannel, `live_${name}`);
  }
  const quotas = {
    sender: limitsOf(look.senderRow, look),
    channel: limitsOf(look.channelRow, look),
    account: limitsOf(look.accountRow, look),
  };
  return {
    of: lane,
    urgent,
    besides: Math.max(0, countIn(look.accountOnChannel, `live_${lane.class}`) - countIn(look.lane, "live")),
    channelRate: interval(look.channelRate),
    senderRate: interval(look.senderRow),
    channelSlot: nextSlot(look.channelRate, 0, look),
    senderSlot: nextSlot(look.senderRow, countIn(look.senderRow, "out"), look),
    released: countIn(look.channelSums, "released"),
    others: Math.max(0, free(look.channelSums) - free(look.accountOnChannel)),
    paused: isPaused(look),
    closedUntil: instant(Math.max(countIn(look.channelRate, "closed"), countIn(look.senderRow, "closed"))),
    quotas,
    room: roomIn(Object.values(quotas), look.now),
  };
};

const known = new WeakMap<Look, Surroundings>();

const surroundings = (look: Look, lane: Lane): Surroundings => {
  const seen = known.get(look);
  if (seen?.of.channel === lane.channel && seen.of.class === lane.class) return seen;
  const found = around(look, { channel: lane.channel, class: lane.class });
  known.set(look, found);
  return found;
};

/** Those that take turns with its own, which is in their ring only where something waits in it and nothing parks it. */
const otherLanes = ({ lane, lanesInClass }: Look): number =>
  lanesInClass - (countIn(lane, "live") > 0 && lane["held_by"] === undefined ? 1 : 0);

/** Those that take turns with its own, which is in their ring only while one of its lanes may go. */
const otherAccounts = ({ accountOnChannel, accountsInRing }: Look): number =>
  accountsInRing - (accountOnChannel["in_ring_a"] === undefined ? 0 : 1);

const ALONE: Company = { inLane: 0, urgent: 0, urgentOfSender: 0, besides: 0, lanes: 0 };

/**
 * @param dueAt not before this; null: at once
 * @param company what will wait besides
 */
export const forecastFor = (
  look: Look,
  lane: Lane,
  place: number,
  dueAt: Instant | null,
  company: Company = ALONE,
): Forecast => {
  const position = Math.max(1, place) + company.inLane;
  const { urgent, besides } = surroundings(look, lane);
  const turns = position * Math.max(0, otherLanes(look) + company.lanes);
  // What is more urgent, and its turns.
  const ahead = position - 1 + urgent + company.urgent + Math.min(besides + company.besides, turns);
  const ofSender = position - 1 + look.urgentOfSender + company.urgentOfSender;
  return forecastBehind(look, lane, { inLane: position, ofSender, ahead }, dueAt);
};

/**
 * Of one that has been released: it holds its quota already, and does not ask for it once more. All that it waits for is a slot
 * of the channel's, and for what would send it back when it is begun.
 * @param ahead released ones that go before it
 */
export const forecastReleased = (look: Look, lane: Lane, ahead = 0): Forecast => {
  const { channelRate, channelSlot, paused, closedUntil } = surroundings(look, lane);
  return forecast({
    now: look.now,
    position: 1,
    zone: look.zone,
    levels: [],
    intervalMs: channelRate,
    senderIntervalMs: null,
    channelSlot,
    channelAhead: ahead,
    closedUntil,
    paused,
  });
};

/** When the last waiting message of the account on the channel will have gone, whatever its lane; null when nobody can say. */
export const drainsAt = (look: Look, channel: Channel): Instant | null => {
  const inLanes = countIn(look.accountOnChannel, "queued");
  const released = countIn(look.accountOnChannel, "released");
  if (inLanes === 0) return forecastReleased(look, { channel, class: "low" }, Math.max(0, released - 1)).at;
  return forecastBehind(look, { channel, class: "low" }, { inLane: 1, ofSender: 0, ahead: inLanes - 1 }, null).at;
};

/** Its position in its lane; how many go before it, of its sender, and of all its account's on the channel. */
interface Place {
  readonly inLane: number;
  readonly ofSender: number;
  readonly ahead: number;
}

const forecastBehind = (
  look: Look,
  lane: Lane,
  { inLane, ofSender, ahead }: Place,
  dueAt: Instant | null,
): Forecast => {
  const here = surroundings(look, lane);
  const { released, others, paused, closedUntil, quotas } = here;
  // Of other accounts, their turns.
  const turns = Math.min(others, (ahead + 1) * Math.max(0, otherAccounts(look)));
  const question: ForecastQuestion = {
    now: look.now,
    position: inLane,
    zone: look.zone,
    levels: [
      { name: "sender", ahead: ofSender, quota: quotas.sender },
      { name: lane.channel, ahead, quota: quotas.channel },
      { name: "all", ahead, quota: quotas.account },
    ],
    room: here.room,
    intervalMs: here.channelRate,
    senderIntervalMs: here.senderRate,
    // What BullMQ has takes the first of them.
    channelSlot: instant(here.channelSlot + released * (here.channelRate ?? 0)),
    senderSlot: here.senderSlot,
    channelAhead: ahead + turns,
    closedUntil,
    paused,
  };
  return forecast(dueAt === null ? question : { ...question, notBefore: dueAt });
};

/** By its provider, which told everybody to wait. Where it told a sender to, that parks the sender's lane, unless a quota does. */
export const isClosed = (look: Look): boolean => countIn(look.channelRate, "closed") > look.now;

/** What parked the lane, or its account on the channel; null when neither is parked. */
export const parkedBy = (look: Look): HeldBy | null => {
  const byAccount = look.accountOnChannel["held_by"];
  const byLane = look.lane["held_by"];
  return (byAccount ?? byLane ?? null) as HeldBy | null;
};

export const isQuota = (heldBy: HeldBy | null): boolean => heldBy !== null && heldBy.includes(".");

/** The place a draft would take at the end of its lane. */
export const placeOfDraft = (look: Look): number => countIn(look.lane, "live") + 1;

/** Never more than wait in the lane: tombstones have numbers too. */
export const placeInLane = (number: number, look: Look): number =>
  Math.min(positionOf(number, look), Math.max(1, countIn(look.lane, "live")));
