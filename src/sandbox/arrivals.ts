/** What arrived in the sandbox, in a capped stream: wherever the worker runs, the page can show it. */
import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Channel } from "../domain/channel.ts";
import type { Arrival } from "./arrival.ts";

export interface ArrivalLog {
  add(arrival: Arrival): Promise<void>;
  /** Newest first. */
  list(options: { readonly channel?: Channel | undefined; readonly limit: number }): Promise<readonly Arrival[]>;
}

/** A thousand arrivals of 256 KB would be a quarter of a gigabyte of Redis; the page shows no more of a body anyway. */
const LONGEST_BODY = 4_000;

const shortened = (arrival: Arrival): Arrival =>
  arrival.body === undefined || arrival.body.length <= LONGEST_BODY
    ? arrival
    : { ...arrival, body: `${arrival.body.slice(0, LONGEST_BODY)}…` };

export const arrivalLog = (redis: Redis, key: string, cap = 1_000): ArrivalLog => ({
  add: async (arrival) => {
    // The token tells a command that ioredis sent twice, after a lost reply, from a message that came twice.
    await redis.xadd(key, "MAXLEN", cap, "*", "token", randomUUID(), "arrival", JSON.stringify(shortened(arrival)));
  },
  list: async ({ channel, limit }) => {
    const seen = new Set<string>();
    const found: Arrival[] = [];
    for (const [, fields] of await redis.xrevrange(key, "+", "-", "COUNT", cap)) {
      const [, token = "", , text = ""] = fields;
      const arrival = JSON.parse(text) as Arrival;
      if (seen.has(token) || (channel !== undefined && arrival.channel !== channel)) continue;
      seen.add(token);
      found.push(arrival);
      if (found.length === limit) break;
    }
    return found;
  },
});
