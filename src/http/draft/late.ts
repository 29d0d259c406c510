/** `on_late: "reject"`: better no message than one that would expire before its turn. */
import type { Draft } from "../../domain/message.ts";
import { formatIn } from "../../domain/timestamp.ts";
import type { Sending } from "../../gate/sending.ts";

/** As it is told (errors.ts, `wouldExpire`). */
export type Lateness = readonly [expected: string, expires: string];

/** Null when it goes in time, as far as can be told now. */
export const lateness = async (
  sending: Pick<Sending, "estimate">,
  account: string,
  zone: string,
  draft: Draft,
): Promise<Lateness | null> => {
  if (draft.expiresAt === undefined) return null;
  const expected = await sending.estimate(account, draft);
  if (expected !== null && expected < draft.expiresAt) return null;
  // Paused, or a quota of 0: nobody can say, and whoever asks to be refused rather than late is told so.
  return [expected === null ? "not known" : formatIn(expected, zone), formatIn(draft.expiresAt, zone)];
};
