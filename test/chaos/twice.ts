/** What arrived more than once, and whether that may be: a mail may, when nobody could know that it had arrived. */
import type { ProviderEntry } from "./entries.ts";
import type { Death } from "./fleet.ts";

/** An attempt and the settling of its outcome: a death this long after an arrival may have cost its answer. */
const ATTEMPT_MS = 25_000;
/** The ledger is written a moment after the last byte has come. */
const NOTED_MS = 1_000;

const arrivalsIn = (entries: readonly ProviderEntry[]): readonly ProviderEntry[] =>
  entries.filter(({ kind }) => kind === "arrival").sort((a, b) => a.realAt - b.realAt);

export const twiceOf = (entries: ReadonlyMap<string, readonly ProviderEntry[]>, deaths: readonly Death[]) => {
  const violations: string[] = [];
  const workers = deaths.filter(({ program }) => program === "worker");
  const deathAfter = ({ realAt }: ProviderEntry): Death | undefined =>
    workers.find((death) => death.realAt >= realAt - NOTED_MS && death.realAt <= realAt + ATTEMPT_MS);
  /** By the first death that may be to blame. */
  const byDeath = new Map<Death, number>();
  let mails = 0;
  let unanswered = 0;
  let others = 0;

  const judge = (before: ProviderEntry, next: ProviderEntry): void => {
    const { marker, channel } = next;
    if (channel !== "email") {
      others++;
      violations.push(`TWICE: ${marker} on ${channel}`);
      return;
    }
    mails++;
    const death = deathAfter(before);
    if (next.letter !== before.letter) violations.push(`TWICE: ${marker} came as another letter`);
    else if (before.behaviour !== "fine") unanswered++;
    else if (death) byDeath.set(death, (byDeath.get(death) ?? 0) + 1);
    else violations.push(`TWICE: ${marker}, although it was answered and no worker died`);
  };
  for (const all of entries.values()) {
    const came = arrivalsIn(all);
    for (const [at, next] of came.entries()) if (at > 0) judge(came[at - 1] ?? next, next);
  }
  return {
    violations,
    figures: {
      duplicates_other: others,
      duplicates_email: mails,
      duplicates_email_unanswered: unanswered,
      duplicates_email_after_a_death: [...byDeath.values()].reduce((sum, count) => sum + count, 0),
      /** As many as one worker may have had in the gap between the last byte and the settling. */
      duplicates_email_most_for_one_death: Math.max(0, ...byDeath.values()),
    },
  };
};
