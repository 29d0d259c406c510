/** The far end, for all contenders: it takes a message in, after no time or after as long as providers take. */
import type { Provider } from "../src/providers/provider.ts";
import { numberIn } from "./messages.ts";
import type { Ledger } from "./ledger.ts";

/** How long it takes for message n: of the number alone, so that every contender meets the same tail. */
export type Latency = (n: number) => number;

export const atOnce: Latency = () => 0;

/** A number's own chance, 0 to 1 (the finalizer of MurmurHash3: neighbours have nothing to do with each other). */
const chance = (n: number, salt: number): number => {
  let mixed = Math.imul(n ^ (salt << 24), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
};

/** 20 ms, half to one and a half times, and 200 ms for two in a hundred: a provider's API over the internet. */
export const likeAProvider: Latency = (n) => (chance(n, 1) < 0.02 ? 200 : 20 * (0.5 + chance(n, 2)));

/** What a contender's worker calls. */
export const takeIn = (ledger: Ledger, latency: Latency) => {
  return (account: number, n: number): Promise<void> | void => {
    ledger.arrive(account, n);
    const ms = latency(n);
    if (ms > 0) return new Promise((resolve) => setTimeout(resolve, ms));
  };
};

export type TakeIn = ReturnType<typeof takeIn>;

/** @param accountOf the number of the account that has this id */
export const nullProvider = (take: TakeIn, accountOf: (id: string) => number): Provider => ({
  name: "null",
  channels: ["email"],
  attempt: async ({ account, recipient }) => {
    await take(accountOf(account), numberIn(recipient));
    return { kind: "sent", providerId: "" };
  },
  close: async () => {},
});
