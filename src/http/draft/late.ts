/** `on_late: "reject"`: better no message than one that would expire before its turn. */
import type { Class } from "../../domain/channel.ts";
import type { Draft } from "../../domain/message.ts";
import type { Instant } from "../../domain/time.ts";
import { formatIn } from "../../domain/timestamp.ts";
import type { Company, Sending } from "../../gate/sending.ts";
import { stretches } from "./stretch.ts";

/** As it is told (errors.ts, `wouldExpire`). */
export type Lateness = readonly [expected: string, expires: string];

export interface Candidate {
  readonly draft: Draft;
  readonly rejectLate: boolean;
}

const URGENCY: { readonly [urgency in Class]: number } = { high: 0, normal: 1, low: 2 };

/** Of one request's messages those that will be accepted, all of one channel. What is due later goes then. */
const newCrowd = (now: Instant) => {
  const classes = [0, 1, 2].map(() => ({ all: 0, senders: new Map<string, number>() }));
  return {
    around: ({ class: urgency, sender }: Draft): Company => {
      const at = URGENCY[urgency];
      const { all, senders } = classes[at]!;
      const inLane = senders.get(sender) ?? 0;
      let urgent = 0;
      let urgentOfSender = 0;
      for (const one of classes.slice(0, at)) {
        urgent += one.all;
        urgentOfSender += one.senders.get(sender) ?? 0;
      }
      const lanes = senders.size - (inLane > 0 ? 1 : 0);
      return { inLane, urgent, urgentOfSender, besides: all - inLane, lanes };
    },
    join: ({ class: urgency, sender, sendAt }: Draft): void => {
      if (sendAt !== undefined && sendAt > now) return;
      const joined = classes[URGENCY[urgency]]!;
      joined.all++;
      joined.senders.set(sender, (joined.senders.get(sender) ?? 0) + 1);
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
      const expected = await estimate(draft, crowd.around(draft));
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
