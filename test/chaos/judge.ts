/** The verdict: from the ledgers, from what the API says became of each message, and from nobody's counters. */
import { ACCOUNTS } from "./accounts.ts";
import { windowName, type Kind } from "./calendar.ts";
import { accountOf, type Acceptance, type ProviderEntry } from "./entries.ts";
import type { Death } from "./fleet.ts";
import { largestLimit, type LimitChange } from "./limits.ts";

export interface Evidence {
  readonly accepted: readonly Acceptance[];
  readonly provider: readonly ProviderEntry[];
  readonly states: ReadonlyMap<string, { readonly status: string; readonly reason: string | null }>;
  readonly deaths: readonly Death[];
  readonly changes?: readonly LimitChange[];
}

export interface Verdict {
  readonly violations: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
}

const ENDS = new Set(["sent", "delivered", "undelivered", "failed", "expired", "canceled", "suppressed", "uncertain"]);
const KINDS: readonly Kind[] = ["hour", "day"];
/** Longer than an attempt may take: a death this long after an arrival may have cost its answer. */
const ATTEMPT_MS = 25_000;

const byMarker = (entries: readonly ProviderEntry[]): Map<string, ProviderEntry[]> => {
  const found = new Map<string, ProviderEntry[]>();
  for (const entry of entries) {
    const list = found.get(entry.marker);
    if (list) list.push(entry);
    else found.set(entry.marker, [entry]);
  }
  return found;
};

/** Windows with more arrivals than the limit that was in force when each may have begun, and how many were looked at. */
const overQuota = (arrivals: readonly ProviderEntry[], changes: readonly LimitChange[]) => {
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

export const judge = ({ accepted, provider, states, deaths, changes = [] }: Evidence): Verdict => {
  const violations: string[] = [];
  const entries = byMarker(provider);
  const known = new Set(accepted.map(({ marker }) => marker));
  const uncertain: Acceptance[] = [];
  /** Three workers died while each of these was on its way, by our hand. */
  let bystanders = 0;

  for (const message of accepted) {
    const { marker, id, channel } = message;
    const state = states.get(id);
    const seen = entries.get(marker) ?? [];
    const came = seen.some(({ kind }) => kind === "arrival");
    if (!state || !ENDS.has(state.status)) violations.push(`LOST: ${marker} (${id}) is ${state?.status ?? "nowhere"}`);
    else if (state.status === "sent" && !came) violations.push(`LOST: ${marker} is sent, and never arrived`);
    else if (state.status === "failed" && state.reason?.startsWith("poison")) bystanders++;
    else if (state.status === "failed" && !seen.some(({ behaviour }) => behaviour !== "fine"))
      violations.push(`LOST: ${marker} on ${channel} failed, and no provider refused it: ${state.reason}`);
    else if (state.status === "uncertain") uncertain.push(message);
    else if (["expired", "canceled", "suppressed"].includes(state.status))
      violations.push(`LOST: ${marker} is ${state.status}, which nobody asked for`);
  }

  let twice = 0;
  const arrivals = provider.filter(({ kind }) => kind === "arrival");
  for (const [marker, all] of entries) {
    const came = all.filter(({ kind }) => kind === "arrival").sort((a, b) => a.realAt - b.realAt);
    if (!known.has(marker) && came.length > 0)
      violations.push(`UNASKED: ${marker} arrived, and no 202 was given for it`);
    for (const [at, next] of came.entries()) {
      const before = came[at - 1];
      if (!before) continue;
      twice++;
      if (next.channel !== "email") violations.push(`TWICE: ${marker} on ${next.channel}`);
      else if (next.letter !== before.letter) violations.push(`TWICE: ${marker} came as another letter`);
      else if (
        before.behaviour === "fine" &&
        !deaths.some(
          ({ program, realAt }) =>
            program === "worker" && realAt >= before.realAt - 1_000 && realAt <= before.realAt + ATTEMPT_MS,
        )
      )
        violations.push(`TWICE: ${marker}, although it was answered and no worker died`);
    }
  }

  const quota = overQuota(arrivals, changes);
  violations.push(...quota.violations);
  const of = (program: string): number => deaths.filter((death) => death.program === program).length;
  return {
    violations,
    figures: {
      accepted: accepted.length,
      arrivals: arrivals.length,
      refusals: provider.length - arrivals.length,
      worker_kills: of("worker"),
      api_kills: of("api"),
      redis_kills: of("redis"),
      lost: violations.filter((each) => each.startsWith("LOST")).length,
      windows: quota.windows,
      windows_full: quota.full,
      windows_over: quota.violations.length,
      duplicates_email: twice - violations.filter((each) => /^TWICE: .* on /.test(each)).length,
      duplicates_other: violations.filter((each) => /^TWICE: .* on /.test(each)).length,
      poison_by_our_hand: bystanders,
      uncertain: uncertain.length,
      uncertain_calls: uncertain.filter(({ channel }) => channel === "voice").length,
      uncertain_that_arrived: uncertain.filter(({ marker }) =>
        (entries.get(marker) ?? []).some(({ kind }) => kind === "arrival"),
      ).length,
    },
  };
};
