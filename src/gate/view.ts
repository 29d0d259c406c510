/** What a reader is told of a message. */
import { END_STATES, type EndState, type MessageState, type MessageView } from "../domain/message.ts";
import type { HeldBy } from "../domain/quota.ts";
import { instant, type Instant } from "../domain/time.ts";
import type { Look } from "../redis/scripts/look.ts";
import { readAttempts, readRecord, type MessageRecord } from "./record.ts";
import {
  forecastFor,
  forecastReleased,
  isClosed,
  isQuota,
  parkedBy,
  placeInLane,
  placeOfDraft,
  positionOf,
} from "./waiting.ts";

export interface Standing {
  readonly status: MessageState;
  readonly heldBy: HeldBy | null;
  readonly estimatedSendAt: Instant | null;
  readonly position: number | null;
}

const AT_REST = { heldBy: null, estimatedSendAt: null, position: null };

const isEnd = (state: string): state is EndState => (END_STATES as readonly string[]).includes(state);

/** From its record only what is named here: nothing else is known of one that has just been accepted. */
export const standingOf = (look: Look, record: Pick<MessageRecord, "number" | "channel" | "class">): Standing => {
  const state = look.x["state"] ?? (look.dueAt > 0 ? "scheduled" : "queued");
  if (isEnd(state)) return { ...AT_REST, status: state };
  if (state === "sending") return { ...AT_REST, status: "sending" };
  // Its provider is being asked; until that is answered nobody knows.
  if (state === "asking") return { ...AT_REST, status: "uncertain" };
  // Nothing goes before it is known what has gone; that is over in seconds, and nobody can say how many.
  if (look.failover && state !== "scheduled")
    return { status: "queued", heldBy: "failover", estimatedSendAt: null, position: null };
  // Released is shown as queued: BullMQ has it, the provider has not.
  if (state === "released") {
    const { at, heldBy } = forecastReleased(look, record);
    return { status: "queued", heldBy, estimatedSendAt: at, position: 1 };
  }
  if (state === "scheduled") {
    // One that has left before comes back to the head of its lane.
    const place = look.x["release"] === undefined ? placeOfDraft(look) : 1;
    const { at, heldBy } = forecastFor(look, record, place, look.dueAt);
    return { status: "scheduled", heldBy: heldBy ?? "schedule", estimatedSendAt: at, position: null };
  }
  const number = Number(look.x["n"] ?? record.number);
  const { at, heldBy } = forecastFor(look, record, placeInLane(number, look), null);
  const parked = parkedBy(look);
  // As in the lists and the sums: for as long as it is closed, whatever else holds it for longer.
  const binding = heldBy === "paused" ? heldBy : isClosed(look) ? "provider" : (parked ?? heldBy);
  return {
    status: isQuota(parked) && isQuota(binding) ? "throttled" : "queued",
    heldBy: binding,
    estimatedSendAt: at,
    position: positionOf(number, look),
  };
};

export const viewOf = (id: string, look: Look): MessageView => {
  const record = readRecord(look.record);
  const { x } = look;
  const ended = x["ended"];
  const { number: _, ...told } = record;
  return {
    id,
    ...told,
    ...standingOf(look, record),
    endedAt: ended === undefined ? null : instant(Number(ended)),
    attempts: readAttempts(x),
    reason: x["reason"] ?? null,
    providerId: x["provider_id"] ?? null,
  };
};
