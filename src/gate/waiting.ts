/** Where a waiting message stands, what holds it and when it will go: from what `look` read, without asking again. */
import { CLASSES, type Channel, type Class } from "../domain/channel.ts";
import { forecast, type Forecast, type ForecastLevel, type ForecastQuestion } from "../domain/forecast.ts";
import { WINDOW_KINDS, type HeldBy, type WindowKind } from "../domain/quota.ts";
import { instant, type Instant, type Millis } from "../domain/time.ts";
import type { Fields } from "../redis/reply.ts";
import type { Look } from "../redis/scripts/look.ts";
import { counterOf, type Counter } from "./counter.ts";

export type Lane = { readonly channel: Channel; readonly class: Class };

const count = (row: Fields, field: string): number => Number(row[field] ?? 0);
const interval = (row: Fields): Millis | null =>
  row["interval"] === undefined ? null : (Number(row["interval"]) as Millis);

export const levelUse = (row: Fields, zone: string, now: Instant): { readonly [kind in WindowKind]: Counter } =>
  Object.fromEntries(WINDOW_KINDS.map((kind) => [kind, counterOf(row, kind, zone, now)])) as Record<
    WindowKind,
    Counter
  >;

/** Its number less what has been taken from the lane since: at most so many go up to and including it. */
export const positionOf = (number: number, look: Look): number => Math.max(1, number - count(look.lane, "popped"));

/** By row: all messages of a lane that were accepted in one call are told by the same (scripts/accept.ts). */
const told = new WeakMap<Fields, ForecastLevel["quota"]>();

/** Only what has a limit can hold anything up, and of the others a calendar would have to be asked for the window. */
const limitsOf = (row: Fields, { zone, now }: Look): ForecastLevel["quota"] => {
  const known = told.get(row);
  if (known) return known;
  const quota: { [kind in WindowKind]?: Counter } = {};
  for (const kind of WINDOW_KINDS)
    if (row[`${kind}.limit`] !== undefined) quota[kind] = counterOf(row, kind, zone, now);
  told.set(row, quota);
  return quota;
};

const levelsOf = (look: Look, channel: Channel, ahead: number): ForecastLevel[] => [
  { name: "sender", quota: limitsOf(look.senderRow, look) },
  { name: channel, ahead, quota: limitsOf(look.channelRow, look) },
  { name: "all", ahead, quota: limitsOf(look.accountRow, look) },
];

/** Messages of the account on the channel that go before the `position`th of a lane: what is more urgent, and its turns. */
const aheadOnChannel = (look: Look, lane: Lane, position: number): number => {
  let urgent = 0;
  for (const name of CLASSES) {
    if (name === lane.class) break;
    urgent += count(look.accountOnChannel, `live_${name}`);
  }
  const others = Math.max(0, count(look.accountOnChannel, `live_${lane.class}`) - count(look.lane, "live"));
  return position - 1 + urgent + Math.min(others, position * Math.max(0, look.lanesInClass - 1));
};

/** Messages of any account that the channel's rate serves before: released ones, and the turns of the other accounts. */
const aheadOfAll = (look: Look, ahead: number): number => {
  const free = (row: Fields): number => count(row, "queued") - count(row, "throttled");
  const others = Math.max(0, free(look.channelSums) - free(look.accountOnChannel));
  return (
    count(look.channelSums, "released") + ahead + Math.min(others, (ahead + 1) * Math.max(0, look.accountsInRing - 1))
  );
};

const isPaused = (look: Look): boolean =>
  look.removed || count(look.accountOnChannel, "paused") === 1 || count(look.channelRate, "paused") === 1;

const closedUntil = (look: Look): Instant =>
  instant(Math.max(count(look.channelRate, "closed"), count(look.senderRow, "closed")));

/** @param dueAt not before this; null: at once */
export const forecastFor = (look: Look, lane: Lane, position: number, dueAt: Instant | null): Forecast =>
  forecastBehind(look, lane.channel, Math.max(1, position), aheadOnChannel(look, lane, Math.max(1, position)), dueAt);

/** When the last of so many waiting messages of the account on the channel will have gone, whatever their lanes. */
export const forecastOfLast = (look: Look, channel: Channel, waiting: number): Forecast =>
  forecastBehind(look, channel, 1, Math.max(0, waiting - 1), null);

const forecastBehind = (
  look: Look,
  channel: Channel,
  inLane: number,
  ahead: number,
  dueAt: Instant | null,
): Forecast => {
  const closed = closedUntil(look);
  const question: ForecastQuestion = {
    now: look.now,
    position: inLane,
    zone: look.zone,
    levels: levelsOf(look, channel, ahead),
    intervalMs: interval(look.channelRate),
    senderIntervalMs: interval(look.senderRow),
    channelAhead: aheadOfAll(look, ahead),
    paused: isPaused(look),
  };
  if (closed > look.now && closed >= (dueAt ?? 0))
    return forecast({ ...question, notBefore: closed, notBeforeBy: "provider" });
  return forecast(dueAt === null ? question : { ...question, notBefore: dueAt });
};

/** What parked the lane, or its account on the channel; null when neither is parked. */
export const parkedBy = (look: Look): HeldBy | null => {
  const byAccount = look.accountOnChannel["held_by"];
  const byLane = look.lane["held_by"];
  return (byAccount ?? byLane ?? null) as HeldBy | null;
};

export const isQuota = (heldBy: HeldBy | null): boolean => heldBy !== null && heldBy.includes(".");

/** The place a draft would take at the end of its lane. */
export const placeOfDraft = (look: Look): number => count(look.lane, "live") + 1;

/** Never more than wait in the lane: tombstones have numbers too. */
export const placeInLane = (number: number, look: Look): number =>
  Math.min(positionOf(number, look), Math.max(1, count(look.lane, "live")));
