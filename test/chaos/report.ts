/** The figures of a run: what the judge counted, and how long nothing arrived after somebody died. */
import type { ProviderEntry } from "./entries.ts";
import type { Kill } from "./killing.ts";

/** From each death at a moment when there was something to send, to whatever arrived next. */
const gapsAfter = (what: Kill["what"], kills: readonly Kill[], provider: readonly ProviderEntry[]): number[] =>
  kills
    .filter((kill) => kill.what === what && kill.busy)
    .flatMap(({ realAt }) => {
      const next = provider.find((entry) => entry.realAt > realAt);
      return next ? [next.realAt - realAt] : [];
    });

const percentile = (list: readonly number[], share: number): number =>
  list.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(list.length * share) - 1)] ?? 0;

export const resuming = (kills: readonly Kill[], provider: readonly ProviderEntry[]): Record<string, number> =>
  Object.fromEntries(
    (["worker", "api", "redis"] as const).flatMap((what) => {
      const gaps = gapsAfter(what, kills, provider);
      return [
        [`resumed_after_${what}_kill_n`, gaps.length],
        [`resumed_after_${what}_kill_p95_ms`, percentile(gaps, 0.95)],
      ];
    }),
  );
