/** The verdict: from the ledgers, from what the API says became of each message, and from nobody's counters. */
import type { Acceptance, ProviderEntry } from "./entries.ts";
import type { Death } from "./fleet.ts";
import type { LimitChange } from "./limits.ts";
import { overQuota } from "./over.ts";
import { twiceOf } from "./twice.ts";

export interface Evidence {
  readonly accepted: readonly Acceptance[];
  readonly provider: readonly ProviderEntry[];
  readonly states: ReadonlyMap<string, { readonly status: string; readonly reason: string | null }>;
  readonly deaths: readonly Death[];
  readonly changes?: readonly LimitChange[];
  /** Asked for, and never answered: they may have been accepted, and then they go. */
  readonly unanswered?: readonly string[];
}

export interface Verdict {
  readonly violations: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
}

const ENDS = new Set(["sent", "delivered", "undelivered", "failed", "expired", "canceled", "suppressed", "uncertain"]);
const byMarker = (entries: readonly ProviderEntry[]): Map<string, ProviderEntry[]> => {
  const found = new Map<string, ProviderEntry[]>();
  for (const entry of entries) {
    const list = found.get(entry.marker);
    if (list) list.push(entry);
    else found.set(entry.marker, [entry]);
  }
  return found;
};

export const judge = ({ accepted, provider, states, deaths, changes = [], unanswered = [] }: Evidence): Verdict => {
  const violations: string[] = [];
  const entries = byMarker(provider);
  const known = new Set([...accepted.map(({ marker }) => marker), ...unanswered]);
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

  const arrivals = provider.filter(({ kind }) => kind === "arrival");
  for (const marker of new Set(arrivals.map((arrival) => arrival.marker)))
    if (!known.has(marker)) violations.push(`UNASKED: ${marker} arrived, and nobody had asked for it`);
  const twice = twiceOf(entries, deaths);
  violations.push(...twice.violations);
  const quota = overQuota(arrivals, changes);
  violations.push(...quota.violations);
  const arrived = uncertain.filter(({ marker }) => entries.get(marker)?.some(({ kind }) => kind === "arrival"));
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
      ...twice.figures,
      poison_by_our_hand: bystanders,
      uncertain: uncertain.length,
      uncertain_calls: uncertain.filter(({ channel }) => channel === "voice").length,
      uncertain_calls_that_arrived: arrived.filter(({ channel }) => channel === "voice").length,
      uncertain_texts_that_arrived: arrived.filter(({ channel }) => channel !== "voice").length,
    },
  };
};
