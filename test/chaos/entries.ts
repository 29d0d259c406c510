/** What the two ledgers hold. A marker is the producer's own name for a message: it travels in subject or body. */
import type { Channel } from "../../src/domain/channel.ts";

/** The producer's: answered with 202. */
export interface Acceptance {
  readonly marker: string;
  readonly id: string;
  readonly account: number;
  readonly channel: Channel;
  /** ms since the run began. */
  readonly realAt: number;
}

/** The providers'. */
export interface ProviderEntry {
  readonly kind: "arrival" | "refused";
  readonly marker: string;
  readonly channel: Channel;
  /** By the clock that the run moves. */
  readonly at: number;
  readonly realAt: number;
  /** What the provider did about it. Anything but "fine" leaves the sender without a clean yes. */
  readonly behaviour: string;
  /** Message-ID and content: what must be the same when a mail comes twice. */
  readonly letter: string;
}

/** `account/channel/number`. */
export const markerOf = (account: number, channel: Channel, n: number): string => `m-${account}-${channel}-${n}-m`;
export const markerIn = (text: string): string => /m-\d+-[a-z]+-\d+-m/.exec(text)?.[0] ?? text.slice(0, 80);
export const accountOf = (marker: string): number => Number(/^m-(\d+)-/.exec(marker)?.[1] ?? -1);
