/** More than a quota lets through: each window counted from the providers' ledger, with a calendar of our own. */
import { ACCOUNTS } from "./accounts.ts";
import { windowName, type Kind } from "./calendar.ts";
import { accountOf, type ProviderEntry } from "./entries.ts";
import { largestLimit, type LimitChange } from "./limits.ts";

const KINDS: readonly Kind[] = ["hour", "day"];
/** Longer than an attempt may take: what arrives now may have begun so long ago, under an older limit. */
const ATTEMPT_MS = 25_000;

/** Windows with more arrivals than the limit that was in force when each may have begun, and how many were looked at. */
export const overQuota = (arrivals: readonly ProviderEntry[], changes: readonly LimitChange[]) => {
  const windows = new Map<string, { count: number; full: boolean; over: boolean; limit: number }>();
  for (const { marker, channel, at, realAt } of arrivals.toSorted((a, b) => a.realAt - b.realAt)) {
    const account = accountOf(marker);
    const { zone, quotas } = ACCOUNTS[account] ?? { zone: "UTC", quotas: {} };
    for (const scope of [channel, "all"] as const)
      for (const kind of KINDS) {
        const first = quotas[scope]?.[kind];
        if (first === undefined) continue;
        const own = kind === "hour" ? changes.filter((each) => each.account === account && each.channel === scope) : [];
        const limit = largestLimit(first, own, realAt - ATTEMPT_MS, realAt);
        const name = `account ${account}, ${scope}.${kind}, ${windowName(kind, zone, at)}`;
        const window = windows.get(name) ?? { count: 0, full: false, over: false, limit };
        window.count++;
        window.limit = limit;
        window.full ||= window.count >= limit;
        window.over ||= window.count > limit;
        windows.set(name, window);
      }
  }
  return {
    windows: windows.size,
    full: [...windows.values()].filter(({ full }) => full).length,
    violations: [...windows]
      .filter(([, { over }]) => over)
      .map(([name, { count, limit }]) => `OVER: ${count} arrivals of ${limit} in ${name}`),
  };
};
