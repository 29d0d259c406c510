import type { Channel } from "../domain/channel.ts";

/** One message as the sandbox received it, in the API's own spelling: it is listed as it is kept. */
export interface Arrival {
  readonly channel: Channel;
  readonly to: string;
  readonly from: string;
  readonly subject?: string;
  /** The text of a mail (its HTML if it has no text), the body of an SMS, what a call says. */
  readonly body?: string;
  /** RFC 3339, UTC. */
  readonly received_at: string;
  /** Ours (`msg_…`) where the message carries it, else the one that the sandbox gave. */
  readonly message_id: string;
}

/** Called before the sandbox answers: what was answered "accepted" has been written down. */
export type OnArrival = (arrival: Arrival) => Promise<void>;
