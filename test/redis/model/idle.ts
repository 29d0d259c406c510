/** Promise 2, seen from outside: is there a lane that could go now, and has the channel room for it? */
import { CLASSES, type Channel } from "../../../src/domain/channel.ts";
import { WINDOW_KINDS } from "../../../src/domain/quota.ts";
import { minuteOf, spanIn, type Span } from "./calendar.ts";
import { num, type Cast, type CellState, type Fields } from "./state.ts";

const LETTER = { hour: "h", day: "d", month: "m" } as const;

const windowIn = (row: string, kind: (typeof WINDOW_KINDS)[number], now: number): Span | null => {
  if (kind === "minute") return minuteOf(now);
  const list = new RegExp(`;${LETTER[kind]} ([^;]*)`).exec(row)?.[1] ?? "";
  return spanIn(list.split(" ").map(Number), now);
};

const hasRoom = (q: Fields | undefined, row: string, now: number): boolean =>
  WINDOW_KINDS.every((kind) => {
    const limit = q?.[`${kind}.limit`];
    if (limit === undefined) return true;
    let used = num(q, `${kind}.used`);
    if (num(q, `${kind}.end`) > now) {
      if (q?.[`${kind}.shut`] === "1") return false;
    } else {
      const window = windowIn(row, kind, now);
      if (window === null) return false;
      const carried = window[0] < num(q, `${kind}.end`);
      if (carried && window[0] < num(q, `${kind}.start`)) return false;
      used = carried ? used : 0;
      if (num(q, `${kind}.late`) > 0 && num(q, `${kind}.late_at`) >= window[0]) used += num(q, `${kind}.late`);
    }
    return used + num(q, "held") + 1 <= Number(limit);
  });

const senderMayGo = (q: Fields | undefined, now: number): boolean => {
  if (num(q, "closed") > now) return false;
  const interval = num(q, "interval");
  return interval === 0 || Math.max(now, num(q, "last") + interval) + num(q, "out") * interval <= now + 50;
};

/** The name of a lane that release must not have left behind, or null. */
export const couldGo = (state: CellState, cast: Cast, channel: Channel, now: number, hands: number): string | null => {
  const rate = state.rate[channel];
  const interval = num(rate, "interval");
  const target = Math.min(2 * hands, interval > 0 ? Math.max(1, Math.floor(2_000 / interval)) : Infinity);
  if (rate?.["paused"] === "1" || num(rate, "closed") > now) return null;
  if (Object.keys(state.released[channel] ?? {}).length >= target) return null;
  for (const account of cast.accounts) {
    const row = state.zone[state.acc[account]?.["zone"] ?? ""] ?? "";
    if (state.ac[`${account}:${channel}`]?.["paused"] === "1" || state.acc[account]?.["removed"] === "1") continue;
    if (!WINDOW_KINDS.every((kind) => windowIn(row, kind, now))) continue;
    if (!hasRoom(state.q[`A|${account}`], row, now) || !hasRoom(state.q[`C|${account}|${channel}`], row, now)) continue;
    for (const klass of CLASSES)
      for (const sender of cast.senders) {
        const name = `${account}:${channel}:${klass}:${sender}`;
        const q = state.q[`S|${account}|${channel}|${sender}`];
        if (num(state.ln[name], "live") > 0 && hasRoom(q, row, now) && senderMayGo(q, now)) return name;
      }
  }
  return null;
};
