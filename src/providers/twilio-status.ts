/** What Twilio's statuses say of a message that it was given, whether it tells them by itself or is asked. */

/** `sent`: the provider has it, and no more is known. */
export type Verdict = "sent" | "delivered" | "undelivered";

/** Messages' statuses and calls' in one list: no word means one thing to the one and another to the other. */
const VERDICTS: ReadonlyMap<string, Verdict> = new Map([
  ["delivered", "delivered"],
  ["read", "delivered"],
  ["completed", "delivered"],
  ["undelivered", "undelivered"],
  ["failed", "undelivered"],
  ["busy", "undelivered"],
  ["no-answer", "undelivered"],
  ["canceled", "undelivered"],
  ["accepted", "sent"],
  ["queued", "sent"],
  ["sending", "sent"],
  ["sent", "sent"],
  ["initiated", "sent"],
  ["ringing", "sent"],
  ["in-progress", "sent"],
  ["answered", "sent"],
]);

/** Null: a status that Twilio has added since, or `scheduled` and `receiving`, which are not about what we send. */
export const verdictOf = (status: string): Verdict | null => VERDICTS.get(status) ?? null;
