/** What is noted of a plan once all accounts that have it were told: as text, so that equal plans have equal notes. */
import type { Quotas } from "../domain/quota.ts";
import type { Plan, Plans } from "./plan.ts";

/** The second form: since then accounts are listed by their plans, and those of before are by being told again. */
const FORM = 2;

/** In the place of a note: not all of its accounts were told of the same. No plan's. */
export const UNTOLD = "";

export const noteOf = ({ weight, quotas }: Plan): string => JSON.stringify({ form: FORM, weight, quotas });

/**
 * With those that are gone from the file, as their accounts were told of them last: these limits stay at the gate.
 * @param set what was set over the API, which knows itself what it has removed
 */
export const withGone = (
  plans: Plans,
  set: Readonly<Record<string, string>>,
  notes: Readonly<Record<string, string>>,
): Plans => {
  const all = new Map(plans);
  for (const [name, note] of Object.entries(notes)) {
    if (all.has(name) || Object.hasOwn(set, name) || note === UNTOLD) continue;
    const { weight, quotas } = JSON.parse(note) as { weight: number; quotas: Quotas };
    all.set(name, { weight, quotas, apiLimit: null, apiCeiling: null });
  }
  return all;
};
