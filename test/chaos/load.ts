/** Producers: enough demand that quotas are used up, singly and in bulk, each 202 written down and synced. */
import { CHANNELS, type Channel } from "../../src/domain/channel.ts";
import { ACCOUNTS } from "./accounts.ts";
import { ADMIN_KEY, type Api } from "./api.ts";
import { oneOf, type Dice } from "./dice.ts";
import { markerOf, type Acceptance } from "./entries.ts";
import type { Ledger } from "./ledger.ts";

export interface LoadParts {
  readonly api: Api;
  readonly dice: Dice;
  readonly ledger: Ledger<Acceptance>;
  readonly realNow: () => number;
}

const PATHS: Readonly<Record<Channel, string>> = {
  email: "/v1/email/send",
  sms: "/v1/sms/send",
  whatsapp: "/v1/whatsapp/send",
  voice: "/v1/voice/call",
};
const LARGEST_BULK = 12;

export const startLoad = async ({ api, dice, ledger, realNow }: LoadParts) => {
  const accounts = await Promise.all(
    ACCOUNTS.map(async ({ zone, quotas }, at) => {
      const made = await api.call("POST", "/v1/accounts", ADMIN_KEY, { name: `Account ${at}`, timezone: zone, quotas });
      const id = made.body.id as string;
      return { id, key: (await api.call("POST", `/v1/accounts/${id}/keys`, ADMIN_KEY, {})).body.key as string };
    }),
  );
  const counts = new Map<string, number>();
  const asking = new Set<Promise<unknown>>();
  /** By account and channel: asked for, and not yet answered. */
  const open = new Map<string, number>();
  /** Given up on: they may have been accepted. */
  const unanswered: string[] = [];
  const lane = (account: number, channel: Channel): string => `${account} ${channel}`;
  const add = (name: string, n: number): void => void open.set(name, (open.get(name) ?? 0) + n);

  const messageOf = (account: number, channel: Channel) => {
    const n = counts.get(channel) ?? 0;
    counts.set(channel, n + 1);
    const marker = markerOf(account, channel, n);
    const priority = oneOf(["high", "normal", "normal", "low"] as const, dice("priority", marker));
    const to = `+1415555${String(1_000 + (n % 9_000))}`;
    const body =
      channel === "email"
        ? { from: "shop@example.com", to: `r${n}@example.net`, subject: marker, text: `Dear ${marker},\nit works.` }
        : channel === "voice"
          ? { to, say: `Good day ${marker}` }
          : { to, body: `Good day ${marker}` };
    return { marker, body: { ...body, priority } };
  };

  const ask = async (account: number, channel: Channel, count: number): Promise<void> => {
    const messages = Array.from({ length: count }, () => messageOf(account, channel));
    const isBulk = count > 1 && channel !== "voice";
    const requests = isBulk ? [messages] : messages.map((message) => [message]);
    for (const request of requests) {
      const [first] = request;
      if (!first) continue;
      const body = isBulk ? { messages: request.map((message) => message.body) } : first.body;
      const path = PATHS[channel] + (isBulk ? "/bulk" : "");
      const reply = await api.call("POST", path, accounts[account]?.key ?? "", body, first.marker).catch((error) => {
        unanswered.push(...request.map(({ marker }) => marker));
        throw error;
      });
      if (reply.status !== 202) continue;
      const ids: (string | undefined)[] = isBulk ? reply.body.results.map(({ id }: any) => id) : [reply.body.id];
      const accepted = request.flatMap(({ marker }, at) => {
        const id = ids[at];
        return id === undefined ? [] : [{ marker, id, account, channel, realAt: realNow() }];
      });
      if (accepted.length < request.length)
        api.wrong.push(`a part of a bulk was refused: ${JSON.stringify(reply.body)}`);
      await ledger.append(...accepted);
    }
  };
  const demand = (account: number, channel: Channel, count: number): void => {
    for (let left = count; left > 0; left -= LARGEST_BULK) {
      const size = Math.min(left, LARGEST_BULK);
      add(lane(account, channel), size);
      const asked: Promise<void> = ask(account, channel, size)
        .catch((error: Error) => void api.wrong.push(error.message))
        .finally(() => {
          add(lane(account, channel), -size);
          asking.delete(asked);
        });
      asking.add(asked);
    }
  };

  return {
    accounts,
    demand,
    unanswered: unanswered as readonly string[],
    /** As much as makes one and a half hours' quotas wait. */
    topUp: async (account: number): Promise<void> => {
      const { body: queues } = await api.call("GET", "/v1/queues", accounts[account]?.key ?? "");
      for (const channel of CHANNELS) {
        const { queued, throttled, scheduled, sending } = queues[channel];
        const limit = ACCOUNTS[account]?.quotas[channel]?.hour ?? 0;
        const there = queued + throttled + scheduled + sending + (open.get(lane(account, channel)) ?? 0);
        const lacking = Math.ceil(limit * 1.5) - there;
        if (lacking > 0) demand(account, channel, lacking);
      }
    },
    /** Everything that was asked for has been answered with 202, and that is on the disk. */
    isAnswered: (): boolean => asking.size === 0,
    /** What the API says became of everything, by id. */
    states: async (): Promise<Map<string, { readonly status: string; readonly reason: string | null }>> => {
      const states = new Map<string, { status: string; reason: string | null }>();
      for (const { key } of accounts)
        for (let cursor: string | null = ""; cursor !== null;) {
          const page: any = await api.call("GET", `/v1/messages?limit=200${cursor && `&cursor=${cursor}`}`, key);
          for (const { id, status, reason } of page.body.items) states.set(id, { status, reason });
          cursor = page.body.next_cursor;
        }
      return states;
    },
  };
};

export type Load = Awaited<ReturnType<typeof startLoad>>;
