/** What is noted of a plan once all accounts that have it were told: as text, so that equal plans have equal notes. */
import type { Plan } from "./plan.ts";

/** The second form: since then accounts are listed by their plans, and those of before are by being told again. */
const FORM = 2;

/** In the place of a note: not all of its accounts were told of the same. No plan's. */
export const UNTOLD = "";

export const noteOf = ({ weight, quotas }: Plan): string => JSON.stringify({ form: FORM, weight, quotas });
