import type { AttemptRecord, MessageView } from "../../domain/message.ts";
import type { Instant } from "../../domain/time.ts";
import { formatIn } from "../../domain/timestamp.ts";
import type { Suppression } from "../../accounts/suppression.ts";
import type { Accepted } from "../../gate/sending.ts";

export const momentJson = (at: Instant | null, zone: string): string | null =>
  at === null ? null : formatIn(at, zone);

export const acceptedJson = (accepted: Accepted) => ({
  id: accepted.id,
  channel: accepted.channel,
  status: accepted.status,
  held_by: accepted.heldBy,
  estimated_send_at: momentJson(accepted.estimatedSendAt, accepted.zone),
  created_at: formatIn(accepted.createdAt, accepted.zone),
});

const attemptJson = (attempt: AttemptRecord, zone: string) => ({
  number: attempt.number,
  started_at: formatIn(attempt.startedAt, zone),
  outcome: attempt.outcome,
  provider: attempt.provider,
  ...(attempt.providerId === undefined ? {} : { provider_id: attempt.providerId }),
  ...(attempt.error === undefined ? {} : { error: attempt.error }),
});

export const messageJson = (message: MessageView, zone: string) => ({
  id: message.id,
  account_id: message.account,
  channel: message.channel,
  status: message.status,
  priority: message.class,
  from: message.sender,
  to: message.recipient,
  content: message.content as Record<string, unknown> | null,
  created_at: formatIn(message.createdAt, zone),
  send_at: momentJson(message.sendAt, zone),
  expires_at: momentJson(message.expiresAt, zone),
  ended_at: momentJson(message.endedAt, zone),
  reference: message.reference,
  metadata: message.metadata,
  batch_id: message.batchId,
  attempts: message.attempts.map((attempt) => attemptJson(attempt, zone)),
  held_by: message.heldBy,
  estimated_send_at: momentJson(message.estimatedSendAt, zone),
  position: message.position,
  reason: message.reason,
  provider_id: message.providerId,
});

export const suppressionJson = (suppression: Suppression, zone: string) => ({
  channel: suppression.channel,
  address: suppression.address,
  reason: suppression.reason,
  created_at: formatIn(suppression.createdAt, zone),
});
