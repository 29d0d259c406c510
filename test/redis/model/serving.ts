/** Accounts that all want more than they get, and who is served in which order. */
import type { Class } from "../../../src/domain/channel.ts";
import type { Stage } from "../../support/gate-stage.ts";

export interface Demand {
  readonly weight?: number;
  readonly senders?: number;
  /** Every so-manieth message is urgent. */
  readonly highEvery?: number;
}

interface Served {
  /** The account that was served, message by message. */
  readonly order: readonly number[];
  /** Lanes that were looked at. */
  readonly looked: number;
  /** Bulk messages that went in a call after which an urgent one of the same account still waited. */
  readonly lowBeforeHigh: number;
}

export const serve = async (
  stage: Stage,
  demands: readonly Demand[],
  messages: number,
  perCall = 1,
): Promise<Served> => {
  const order: number[] = [];
  const accounts = demands.map(() => ({ high: 0, low: 0 }));
  const owners = new Map<string, { account: number; class: "high" | "low" }>();
  let made = 0;
  let looked = 0;
  let lowBeforeHigh = 0;
  const refill = async (account: number): Promise<void> => {
    const { senders = 1, highEvery = 0 } = demands[account] as Demand;
    const groups = new Map<string, number>();
    for (let n = 0; n < 120; n++, made++) {
      const key = `${highEvery > 0 && made % highEvery === 0 ? "high" : "low"} s${made % senders}@x.org`;
      groups.set(key, (groups.get(key) ?? 0) + 1);
    }
    for (const [key, count] of groups) {
      const [name, sender = ""] = key.split(" ");
      const own = name as "high" | "low";
      for (const id of await stage.put(`a${account}`, count, { class: own, sender }))
        owners.set(id, { account, class: own });
      (accounts[account] as Record<Class, number>)[own] += count;
    }
  };
  for (const [i, { weight = 1 }] of demands.entries()) await stage.account(`a${i}`, { weight });
  while (order.length < messages) {
    for (const [i, { high, low }] of accounts.entries()) if (high + low < 60) await refill(i);
    const reply = await stage.release("email", 1, { messages: perCall });
    looked += reply.looked;
    const pairs = reply.jobs.flatMap((job) => job.messages.map(([id, number]) => ({ id, release: number })));
    await stage.begin(pairs);
    await stage.settle(pairs, "sent");
    const gone = pairs.map(({ id }) => owners.get(id) as { account: number; class: "high" | "low" });
    for (const { account, class: own } of gone) {
      order.push(account);
      (accounts[account] as { high: number; low: number })[own]--;
    }
    for (const { account, class: own } of gone)
      if (own === "low" && (accounts[account]?.high ?? 0) > 0) lowBeforeHigh++;
  }
  return { order, looked, lowBeforeHigh };
};

export const shareOf = ({ order }: Served, account: number): number =>
  order.filter((who) => who === account).length / order.length;
