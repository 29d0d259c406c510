/** Is there room in a quota beside messages that wait for room? Asked when nothing moves, as a person would ask: over the API. */
import { CHANNELS } from "../../src/domain/channel.ts";
import type { Api } from "./api.ts";
import type { Load } from "./load.ts";

const KINDS = ["hour", "day"] as const;

/** @returns what lies idle; null when something moved meanwhile */
export const idleRoom = async (api: Api, { accounts }: Load, stillQuiet: () => Promise<boolean>) => {
  const found = await Promise.all(
    accounts.map(async ({ key }, at) => {
      // The quotas before and after: a message accepted in between makes no room, and takes some.
      const before = await api.call("GET", "/v1/quotas", key);
      const queues = await api.call("GET", "/v1/queues", key);
      const after = await api.call("GET", "/v1/quotas", key);
      return CHANNELS.flatMap((channel) => {
        if (queues.body[channel].throttled === 0) return [];
        const rooms = [before.body, after.body]
          .flatMap((quotas) => [quotas[channel], quotas.all])
          .flatMap((level) =>
            KINDS.map((kind) => (level[kind].limit === null ? Infinity : (level[kind].remaining as number))),
          );
        const room = Math.min(...rooms);
        return room > 0 ? [`IDLE: account ${at} has room for ${room} on ${channel}, and messages wait`] : [];
      });
    }),
  );
  return (await stillQuiet()) ? found.flat() : null;
};
