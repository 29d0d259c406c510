/** Was a text created, of which nobody knows? Twilio has no idempotency key; what it has is a list. */
import type { Instant } from "../domain/time.ts";

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
}

export type Found =
  | { readonly verdict: "sent" | "delivered" | "undelivered"; readonly providerId: string }
  /** The provider answered, and has no such text. */
  | { readonly verdict: "absent" }
  /** It did not answer, or not so that it could be read. */
  | { readonly verdict: "unknown" };

/** Twilio's clock and ours may differ, and its dates have whole seconds. */
const CLOCKS_DIFFER_MS = 5_000;

const verdictOf = (status: string): "sent" | "delivered" | "undelivered" => {
  if (status === "delivered" || status === "read") return "delivered";
  return status === "undelivered" || status === "failed" ? "undelivered" : "sent";
};

/** The earliest text of the same words since the attempt began: two attempts at the same words were created in order. */
export const matchOf = ({ body, beganAt }: Sought, listed: readonly ListedText[]): Found => {
  const since = (text: ListedText): number => (text.dateCreated?.getTime() ?? 0) - beganAt;
  const [match] = listed
    .filter((text) => text.body === body && since(text) >= -CLOCKS_DIFFER_MS)
    .toSorted((a, b) => since(a) - since(b));
  return match ? { verdict: verdictOf(match.status), providerId: match.sid } : { verdict: "absent" };
};
