/** Was a text created, of which nobody knows? Twilio has no idempotency key; what it has is a list. */
import type { Instant, Millis } from "../domain/time.ts";
import { verdictOf, type Verdict } from "./twilio-status.ts";

/** The parts of a message resource that are looked at. */
export interface ListedText {
  readonly sid: string;
  readonly body: string;
  readonly status: string;
  readonly dateCreated: Date | null;
}

export interface Sought {
  readonly body: string;
  /** When the attempt began, by Redis's clock. */
  readonly beganAt: Instant;
  /** After which what is created is another's. */
  readonly createdWithin: Millis;
  /** The newest so many were asked for: where there are as many, there may be older ones. */
  readonly atMost: number;
}

/** A text that may be the one. */
export interface Candidate {
  readonly verdict: Verdict;
  readonly providerId: string;
}

export type Found =
  /** Never empty, the likeliest first. Which of them is another message's is not the provider's to know. */
  | { readonly kind: "found"; readonly candidates: readonly Candidate[] }
  /** The provider answered, and has no such text. */
  | { readonly kind: "absent" }
  /** It did not answer, or not so that it could be read, or so many came since that its list does not reach back so far. */
  | { readonly kind: "unknown" };

/** Twilio's clock and ours may differ, and its dates have whole seconds. */
const CLOCKS_DIFFER_MS = 5_000;
/** The texts of the same words from the time of the attempt, in order: two attempts at the same words were created in order. */
export const foundIn = ({ body, beganAt, createdWithin, atMost }: Sought, listed: readonly ListedText[]): Found => {
  const since = (text: ListedText): number => (text.dateCreated?.getTime() ?? 0) - beganAt;
  // The one that is sought may have been pushed out of it: what is not there is not absent, and what is there may be another.
  const reachesBack =
    listed.length < atMost || listed.some((text) => text.dateCreated !== null && since(text) < -CLOCKS_DIFFER_MS);
  if (!reachesBack) return { kind: "unknown" };
  const candidates = listed
    .filter(
      (text) =>
        text.body === body && since(text) >= -CLOCKS_DIFFER_MS && since(text) <= createdWithin + CLOCKS_DIFFER_MS,
    )
    .toSorted((one, other) => since(one) - since(other))
    .map(({ status, sid }) => ({ verdict: verdictOf(status) ?? "sent", providerId: sid }));
  return candidates.length > 0 ? { kind: "found", candidates } : { kind: "absent" };
};
