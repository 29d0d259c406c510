/** `on_late: "reject"`: better no message than one that would expire before its turn. */
import type { Class } from "../../domain/channel.ts";
import type { Draft } from "../../domain/message.ts";
import type { Instant } from "../../domain/time.ts";
import { formatIn } from "../../domain/timestamp.ts";
import type { Sending } from "../../gate/sending.ts";
import { stretches } from "./stretch.ts";

/** As it is told (errors.ts, `wouldExpire`). */
export type Lateness = readonly [expected: string, expires: string];

export interface Candidate {
  readonly draft: Draft;
  readonly rejectLate: boolean;
}

const URGENCY: { readonly [urgency in Class]: number } = { high: 0, normal: 1, low: 2 };

/** Of one request's messages that will be accepted, all of one channel: how many go before another. What is due later goes then. */
const newCrowd = (now: Instant) => {
  const counts = [0, 0, 0];
  return {
    before: ({ class: urgency }: Draft): number =>
      counts.slice(0, URGENCY[urgency] + 1).reduce((sum, count) => sum + count, 0),
    join: ({ class: urgency, sendAt }: Draft): void => {
      if (sendAt === undefined || sendAt <= now) counts[URGENCY[urgency]]! += 1;
    },
  };
};

/**
 * Asks of each in turn, as far as can be told now, with those of the request that go before it in mind.
 * @param now as of when their times were judged
 * @returns by their places those that would be late; `undefined` in `candidates` is one that was refused already
 */
export const lateOnes = async (
  sending: Pick<Sending, "estimating">,
  account: string,
  zone: string,
  now: Instant,
  candidates: readonly (Candidate | undefined)[],
): Promise<readonly (readonly [place: number, late: Lateness])[]> => {
  const estimate = sending.estimating(account);
  const crowd = newCrowd(now);
  const late: (readonly [number, Lateness])[] = [];
  const stretch = stretches();
  for (const [place, candidate] of candidates.entries()) {
    if (stretch.isOver()) await stretch.rest();
    if (candidate === undefined) continue;
    const { draft, rejectLate } = candidate;
    const { expiresAt } = draft;
    if (rejectLate && expiresAt !== undefined) {
      const expected = await estimate(draft, crowd.before(draft));
      if (expected === null || expected >= expiresAt) {
        // Paused, or a quota of 0: nobody can say, and whoever asks to be refused rather than late is told so.
        late.push([place, [expected === null ? "not known" : formatIn(expected, zone), formatIn(expiresAt, zone)]]);
        continue;
      }
    }
    crowd.join(draft);
  }
  return late;
};
