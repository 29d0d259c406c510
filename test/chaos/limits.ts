/** Limits that are changed under way, over HTTP, and which of them was in force when. */
import type { Channel } from "../../src/domain/channel.ts";
import { ACCOUNTS } from "./accounts.ts";
import { ADMIN_KEY, type Api } from "./api.ts";
import type { Dice } from "./dice.ts";

export interface LimitChange {
  readonly account: number;
  readonly channel: Channel;
  readonly hour: number;
  /** In force at the latest when the call returned, and not before it was made. */
  readonly askedAt: number;
  readonly answeredAt: number;
}

/** The largest limit that can have been in force at some moment of [from, to]. */
export const largestLimit = (first: number, changes: readonly LimitChange[], from: number, to: number): number => {
  // Until the next change is asked for at the earliest, and until it is answered at the latest.
  const spans = [{ hour: first, askedAt: -Infinity }, ...changes].map(({ hour, askedAt }, at) => ({
    hour,
    from: askedAt,
    to: changes[at]?.answeredAt ?? Infinity,
  }));
  return Math.max(...spans.filter((span) => span.from <= to && span.to >= from).map(({ hour }) => hour));
};

export const changingLimits = (
  api: Api,
  dice: Dice,
  accounts: readonly { readonly id: string }[],
  realNow: () => number,
) => {
  const changes: LimitChange[] = [];
  return {
    changes: changes as readonly LimitChange[],
    /** Another limit for one account's mails of an hour, between half and one and a half of what it had at first. */
    change: async (n: number): Promise<void> => {
      const account = Math.floor(dice("whose limit", n) * ACCOUNTS.length);
      const { hour: first = 0, ...others } = ACCOUNTS[account]?.quotas.email ?? {};
      const hour = Math.round(first * (0.5 + dice("limit", n)));
      const askedAt = realNow();
      let answeredAt = Infinity;
      try {
        await api.call("PUT", `/v1/accounts/${accounts[account]?.id}/quotas/email`, ADMIN_KEY, { hour, ...others });
        answeredAt = realNow();
      } finally {
        // One that was never answered may be in force, or not.
        changes.push({ account, channel: "email", hour, askedAt, answeredAt });
      }
    },
  };
};
