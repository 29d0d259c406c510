/** The judge stands on the provider's side: it knows what arrived, when, and which limits had been set; not one counter. */
import { WINDOW_KINDS, type WindowKind } from "../../../src/domain/quota.ts";
import type { Calendar, Span, TzRelease } from "./calendar.ts";
import { chainOf, type Message } from "./invariants.ts";
import { num, type CellState } from "./state.ts";

export interface Arrival {
  readonly message: Message;
  /** By the cell's clock. */
  readonly at: number;
  /** Steps are numbered: which limits stood when it began. */
  readonly begunIn: number;
}

interface Slot {
  readonly at: number;
  readonly interval: number;
}

export const judgeOf = (calendar: Calendar) => {
  const arrivals: Arrival[] = [];
  const limits = new Map<string, { step: number; limit: number | null }[]>();
  /** Windows as the cell's rows had them: an account whose zone changed has no others. */
  const rows = new Map<string, Map<number, Span>>();
  const slots = new Map<string, Slot[]>();
  /** Accounts whose zone, or whose zone's data, changed. */
  const flipped = new Set<string>();
  const zones = new Map<string, string>();

  const windowsOf = (scope: string, kind: WindowKind, inside: readonly Arrival[]): Iterable<Span> => {
    const account = scope.split("|")[1] as string;
    if (kind !== "minute" && flipped.has(account)) return rows.get(`${scope} ${kind}`)?.values() ?? [];
    const spans = new Map<number, Span>();
    for (const { at } of inside) {
      const span = calendar.window(zones.get(account) as string, "t1" satisfies TzRelease, kind, at);
      spans.set(span[0], span);
    }
    return spans.values();
  };

  const over = (scope: string, kind: WindowKind, all: readonly Arrival[]): string[] => {
    const log = limits.get(`${scope} ${kind}`) ?? [];
    const bad: string[] = [];
    if (log.length === 0) return bad;
    for (const [start, end] of windowsOf(scope, kind, all)) {
      const inside = all.filter(({ at }) => at >= start && at < end).sort((a, b) => a.begunIn - b.begunIn);
      for (const [i, { message, begunIn }] of inside.entries()) {
        const limit = log.findLast(({ step }) => step <= begunIn)?.limit ?? null;
        if (limit !== null && i + 1 > limit)
          bad.push(`OVER ${scope} ${kind} [${start}, ${end}): ${message.id} is number ${i + 1} of ${limit}`);
      }
    }
    return bad;
  };

  const tooFast = (key: string, all: readonly Slot[]): string[] => {
    const sorted = [...all].sort((a, b) => a.at - b.at);
    return sorted.flatMap(({ at, interval }, i) => {
      const before = sorted[i - 1];
      const gap = before ? at - before.at : Infinity;
      return before && gap < Math.min(interval, before.interval) - 0.001
        ? [`RATE ${key}: ${gap} ms apart at ${at}`]
        : [];
    });
  };

  return {
    arrivals,
    zone: (account: string, zone: string): void => void zones.set(account, zone),
    flip: (account: string): void => void flipped.add(account),
    arrived: (message: Message, at: number, begunIn: number): void => void arrivals.push({ message, at, begunIn }),
    limit: (scope: string, kind: WindowKind, step: number, limit: number | null): void => {
      const key = `${scope} ${kind}`;
      limits.set(key, [...(limits.get(key) ?? []), { step, limit }]);
    },
    slot: (key: string, at: number, interval: number): void => {
      if (interval > 0) slots.set(key, [...(slots.get(key) ?? []), { at, interval }]);
    },
    /** Notes the windows that the cell's rows have now. A shut row is no window: nothing may begin in it. */
    look: (state: CellState): void => {
      for (const [scope, q] of Object.entries(state.q))
        for (const kind of WINDOW_KINDS) {
          const [start, end] = [num(q, `${kind}.start`), num(q, `${kind}.end`)];
          if (end === 0 || q[`${kind}.shut`] === "1") continue;
          const key = `${scope} ${kind}`;
          rows.set(key, (rows.get(key) ?? new Map<number, Span>()).set(start, [start, end]));
        }
    },
    verdict: (): string[] => {
      const byScope = new Map<string, Arrival[]>();
      const times = new Map<string, number>();
      for (const arrival of arrivals) {
        const { message } = arrival;
        times.set(message.id, (times.get(message.id) ?? 0) + 1);
        if (message.channel !== "email" && times.get(message.id) === 2)
          return [`TWICE ${message.id} on ${message.channel}`];
        for (const scope of chainOf(message)) byScope.set(scope, [...(byScope.get(scope) ?? []), arrival]);
      }
      return [
        ...[...byScope].flatMap(([scope, all]) => WINDOW_KINDS.flatMap((kind) => over(scope, kind, all))),
        ...[...slots].flatMap(([key, all]) => tooFast(key, all)),
      ];
    },
  };
};
