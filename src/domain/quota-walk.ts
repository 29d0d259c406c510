/**
 * When the quotas let a message go: walks the windows ahead, in each takes all that has room, and leaps to the end of
 * what blocks. The work is in the windows walked, never in the messages waiting.
 */
import { stretchAt } from "./offset.ts";
import type { HeldBy, WindowKind } from "./quota.ts";
import { days, hours, instant, minutes, type Instant } from "./time.ts";
import { windowOf, type Window } from "./window.ts";

/** One quota that has a limit, and what is left of it in the window that the walk has come to. */
export interface Room {
  readonly heldBy: HeldBy;
  readonly kind: WindowKind;
  readonly limit: number;
  left: number;
  window: Window;
  /** What the window has room for besides, and the rates do not let go before it ends. */
  beyond?: number;
}

/** Waiting messages that need room in the same quotas. */
export interface Crowd {
  readonly rooms: readonly Room[];
  remaining: number;
  /** How many of them go at the instant that the walk has come to. */
  taken: number;
}

/** How fast some of the crowds go, whatever has room. */
export interface Pace {
  /** Between two messages, in milliseconds; need not be whole. */
  readonly interval: number;
  readonly crowds: readonly Crowd[];
  /** When the next of them may go: the slots of those before it follow each other from window to window. */
  free: number;
}

export interface QuotaWalk {
  readonly from: Instant;
  /** The message itself goes no sooner than this, whatever has room: what is before it does not wait for it. */
  readonly earliest: Instant;
  readonly zone: string;
  /** Before the message; those that need the most quotas first. A crowd does not wait for the one before it. */
  readonly crowds: readonly Crowd[];
  /** All quotas that have a limit: the message needs room in each. By length of window, shortest first. */
  readonly rooms: readonly Room[];
  /** Told by the walk when the message's own slot is; they let nobody wait for a window. */
  readonly paces: readonly Pace[];
}

/**
 * Past these nobody should be told a date: limits will have changed, and the question must stay cheap (20 ms at worst).
 * Hours within days take three steps a day, minutes within hours two an hour: 2,000 reach over all 400 days, or 41.
 */
const HORIZON = days(400);
const MOST_STEPS = 2_000;

/** The gate's own rule for its counters (a window that overlaps the old one inherits its charges), looked at ahead. */
const rollRoom = (room: Room, at: Instant, zone: string): void => {
  if (at < room.window.endsAt) return;
  const next = windowOf(room.kind, at, zone);
  if (next.startsAt >= room.window.endsAt) room.left = room.limit;
  else if (next.startsAt < room.window.startsAt) room.left = 0;
  else room.left += room.beyond ?? 0;
  room.window = next;
  room.beyond = 0;
};

/**
 * What runs may end before the rates have let go all that it has room for, and the rest is charged to the next. Windows that
 * follow are whole: either a rate fills them, or no quota of theirs ever binds.
 */
const paceRunning = ({ from, zone, rooms, crowds, paces }: QuotaWalk): void => {
  for (const room of rooms) {
    rollRoom(room, from, zone);
    const needed = crowds.filter((crowd) => crowd.rooms.includes(room));
    for (const { interval, free, crowds: paced } of paces) {
      if (interval === 0 || !needed.every((crowd) => paced.includes(crowd))) continue;
      const slots = Math.max(0, Math.ceil((room.window.endsAt - free) / interval));
      if (slots >= room.left) continue;
      room.beyond = (room.beyond ?? 0) + room.left - slots;
      room.left = slots;
    }
  }
};

const takeAll = (crowd: Crowd): void => {
  const taken = Math.max(0, Math.min(crowd.remaining, ...crowd.rooms.map((room) => room.left)));
  crowd.taken = taken;
  crowd.remaining -= taken;
  for (const room of crowd.rooms) room.left -= taken;
};

const slotsTaken = (pace: Pace): number => pace.interval * pace.crowds.reduce((sum, crowd) => sum + crowd.taken, 0);

const paceAll = (pace: Pace, at: Instant): void => {
  pace.free = Math.max(pace.free, at) + slotsTaken(pace);
};

const PERIODS = { minute: minutes(1), hour: hours(1) } as const;

/**
 * A minute (or, without limits per minute, an hour) that began untouched and went by like this one repeats itself until
 * a crowd runs out, a longer quota does, or a longer window ends. Leaps over the repetitions, so that its window is the last
 * one's; without this a quota of 60 a minute would need a step for each minute of a backlog of days.
 */
const leapOverRepetitions = (at: Instant, { zone, crowds, rooms, paces }: QuotaWalk): void => {
  const kind = rooms.some((room) => room.kind === "minute") ? "minute" : "hour";
  if (!rooms.some((room) => room.kind === kind)) return;
  const taken = (room: Room): number =>
    crowds.reduce((sum, crowd) => sum + (crowd.rooms.includes(room) ? crowd.taken : 0), 0);
  const period = PERIODS[kind];
  // An hour is an hour only while the zone's offset stays as it is.
  let most = kind === "hour" ? Math.floor((stretchAt(at, zone).until - at) / period) - 1 : Infinity;
  for (const room of rooms) {
    const inThis = taken(room);
    if (room.kind === kind) {
      if (room.window.startsAt !== at || room.left + inThis !== room.limit) return;
    } else {
      most = Math.min(most, Math.floor((room.window.endsAt - 1 - at) / period));
      if (inThis > 0) most = Math.min(most, Math.floor(room.left / inThis));
    }
  }
  for (const crowd of crowds) if (crowd.taken > 0) most = Math.min(most, Math.floor(crowd.remaining / crowd.taken));
  if (!Number.isFinite(most) || most < 1) return;
  // Slots that follow each other; where a period has time to spare, the next step's own instant is the later one.
  for (const pace of paces) pace.free += most * slotsTaken(pace);
  for (const crowd of crowds) crowd.remaining -= most * crowd.taken;
  for (const room of rooms) {
    if (room.kind !== kind) room.left -= most * taken(room);
    else {
      const shifted = (edge: Instant): Instant => instant(edge + most * period);
      room.window = { startsAt: shifted(room.window.startsAt), endsAt: shifted(room.window.endsAt) };
    }
  }
};

/** What blocks longest among quotas without room; of two that end together the later in the list. */
const longestBlock = (rooms: readonly Room[]): Room | undefined =>
  rooms.reduce<Room | undefined>(
    (longest, room) => (room.left < 1 && room.window.endsAt >= (longest?.window.endsAt ?? 0) ? room : longest),
    undefined,
  );

/** `heldBy` is what the message waited for last but the rates, until `heldUntil`; `at` is null where the walk was given up. */
export const walkQuotas = (walk: QuotaWalk) => {
  const { from, earliest, zone, crowds, rooms, paces } = walk;
  let at = from;
  let heldUntil = from;
  let heldBy: HeldBy | null = null;
  const wait = (by: HeldBy, until: Instant): void => {
    heldBy = by;
    heldUntil = until;
  };
  paceRunning(walk);
  for (let step = 0; step < MOST_STEPS && at <= from + HORIZON; step++) {
    for (const room of rooms) rollRoom(room, at, zone);
    for (const crowd of crowds) takeAll(crowd);
    for (const pace of paces) paceAll(pace, at);
    const waiting = crowds.filter((crowd) => crowd.remaining > 0);
    if (waiting.length === 0) {
      const block = longestBlock(rooms);
      if (!block && at >= earliest) return { at, heldBy, heldUntil };
      const blockedUntil = block?.window.endsAt ?? at;
      at = instant(Math.max(blockedUntil, earliest));
      if (!block || blockedUntil < earliest) wait("schedule", at);
      else if (!block.beyond) wait(block.heldBy, at);
    } else {
      leapOverRepetitions(at, walk);
      // A crowd that waits took all there was, so something blocks it; the first to come free goes on.
      const blocks = waiting.map((crowd) => longestBlock(crowd.rooms)!);
      const next = blocks.reduce((first, block) => (block.window.endsAt < first.window.endsAt ? block : first));
      at = next.window.endsAt;
      if (!next.beyond) wait(next.heldBy, at);
    }
  }
  return { at: null, heldBy, heldUntil };
};
