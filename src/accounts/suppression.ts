/** Addresses an account does not want to send to. Implemented in suppressions.ts. */
import type { Channel } from "../domain/channel.ts";
import type { Instant } from "../domain/time.ts";
import type { Page } from "../domain/page.ts";

export interface Suppression {
  readonly channel: Channel;
  /** Canonical: the bare address in lower case, or E.164. */
  readonly address: string;
  readonly reason: string;
  readonly createdAt: Instant;
}

export interface Suppressions {
  /** In force when it resolves, for messages that wait too: they end `suppressed` when their turn comes. */
  add(account: string, channel: Channel, address: string, reason: string): Promise<Suppression>;
  list(
    account: string,
    filter: { channel?: Channel; address?: string },
    cursor: string | null,
    limit: number,
  ): Promise<Page<Suppression>>;
  remove(account: string, channel: Channel, address: string): Promise<boolean>;
}
