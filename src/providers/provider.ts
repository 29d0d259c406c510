/** What every provider adapter is. What a new one takes besides its file: docs/architecture.md, "How to add something". */
import type { Channel } from "../domain/channel.ts";
import type { Content } from "../domain/message.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { Instant } from "../domain/time.ts";
import type { Found } from "./search.ts";

/** One message on its way out: everything an adapter may know. Templates are already filled in. */
export interface Dispatch {
  readonly id: string;
  readonly account: string;
  readonly channel: Channel;
  /** The bare address in lower case, or E.164. */
  readonly sender: string;
  readonly recipient: string;
  readonly content: Content;
  /** Acceptance: the Date header. The same on every try. */
  readonly createdAt: Instant;
}

/** A text that may have been sent. */
export type Lost = Pick<Dispatch, "channel" | "sender" | "recipient" | "content"> & {
  /** When the attempt began, by Redis's clock. */
  readonly beganAt: Instant;
};

export interface Provider {
  /** As attempts and metrics name it: `smtp`, `twilio`. */
  readonly name: string;
  readonly channels: readonly Channel[];
  /**
   * Makes one attempt and maps the reply. Never throws, and answers soon after `signal` aborts
   * (`uncertain` if the last byte may have gone out, `transient` otherwise).
   */
  attempt(message: Dispatch, signal: AbortSignal): Promise<Outcome>;
  /** Does the provider have it? Only providers that can tell have this. Never throws. */
  find?(lost: Lost, signal: AbortSignal): Promise<Found>;
  close(): Promise<void>;
}
