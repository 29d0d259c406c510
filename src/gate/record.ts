/** A message's record as look.lua tells it (how it is stored is lib/messages.lua's business), read into names. */
import type { Channel, Class } from "../domain/channel.ts";
import type { AttemptRecord, Content, Draft, TemplateUse } from "../domain/message.ts";
import { instant, type Instant } from "../domain/time.ts";
import type { Fields } from "../redis/reply.ts";
import { contentOf } from "./body.ts";

/** Kept as long as the record, when the body is long gone. */
interface Kept {
  readonly reference?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface MessageRecord {
  /** Its place in its lane's sequence; 0 while it is scheduled. */
  readonly number: number;
  readonly account: string;
  readonly channel: Channel;
  readonly class: Class;
  readonly createdAt: Instant;
  readonly sendAt: Instant | null;
  readonly expiresAt: Instant | null;
  readonly batchId: string | null;
  readonly sender: string;
  readonly recipient: string;
  readonly reference: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly content: Content | TemplateUse | null;
}

export const keptOf = ({ reference, metadata }: Draft): string =>
  reference === undefined && metadata === undefined
    ? ""
    : JSON.stringify({ reference, metadata } satisfies {
        readonly [field in keyof Kept]-?: Kept[field] | undefined;
      });

const instantOrNull = (word: string | undefined): Instant | null => (word === "0" ? null : instant(Number(word)));

export const readRecord = (text: string): MessageRecord => {
  const [header = "", keptText = "", body = ""] = text.split("\n", 3);
  const [number, account = "", channel, priority, created, due, expires, batch, sender = "", recipient = ""] =
    header.split(" ");
  const kept: Kept = keptText === "" ? {} : (JSON.parse(keptText) as Kept);
  return {
    number: Number(number),
    account,
    channel: channel as Channel,
    class: priority as Class,
    createdAt: instant(Number(created)),
    sendAt: instantOrNull(due),
    expiresAt: instantOrNull(expires),
    batchId: batch === undefined || batch === "-" ? null : batch,
    sender,
    recipient,
    reference: kept.reference ?? null,
    metadata: kept.metadata ?? null,
    content: contentOf({ sender, recipient, body }),
  };
};

/** How an attempt is written down. Words: over 64 bytes of one field, Redis keeps the whole record in twice the memory. */
export const attemptText = (
  outcome: AttemptRecord["outcome"],
  provider: string,
  { providerId, error }: { readonly providerId: string | undefined; readonly error: string | undefined },
): string => {
  if (error !== undefined || /\s/.test(providerId ?? ""))
    return JSON.stringify({ outcome, provider, provider_id: providerId, error } satisfies {
      readonly [field in keyof StoredAttempt]-?: StoredAttempt[field] | undefined;
    });
  return providerId === undefined ? `${outcome} ${provider}` : `${outcome} ${provider} ${providerId}`;
};

type StoredAttempt = { outcome: AttemptRecord["outcome"]; provider: string; provider_id?: string; error?: string };

const storedAttempt = (text: string): StoredAttempt => {
  if (text.startsWith("{")) return JSON.parse(text) as StoredAttempt;
  const [outcome, provider = "", providerId] = text.split(" ");
  return {
    outcome: outcome as AttemptRecord["outcome"],
    provider,
    ...(providerId === undefined ? {} : { provider_id: providerId }),
  };
};

/** The attempts that are kept (the latest twenty), oldest first. */
export const readAttempts = (x: Fields): readonly AttemptRecord[] => {
  const last = Number(x["attempts"] ?? 0);
  const attempts: AttemptRecord[] = [];
  for (let number = 1; number <= last; number++) {
    const text = x[`a${number}`];
    if (text === undefined) continue;
    const at = text.indexOf(" ");
    const stored = storedAttempt(text.slice(at + 1));
    attempts.push({
      number,
      startedAt: instant(Number(text.slice(0, at))),
      outcome: stored.outcome,
      provider: stored.provider,
      ...(stored.provider_id === undefined ? {} : { providerId: stored.provider_id }),
      ...(stored.error === undefined ? {} : { error: stored.error }),
    });
  }
  return attempts;
};
