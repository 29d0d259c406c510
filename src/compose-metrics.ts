/** What `GET /metrics` tells of the whole system: read from the sums that the scripts keep, as of now. */
import type { Core } from "./compose.ts";
import { CHANNELS } from "./domain/channel.ts";
import { END_STATES } from "./domain/message.ts";
import { failoverOf } from "./redis/failover-facts.ts";
import { countIn } from "./redis/reply.ts";
import { snapshot } from "./redis/scripts/snapshot.ts";

/** Puts the sums over all accounts and processes into the metrics, as of now. */
export const measure = async ({ scripts, keys, metrics }: Core): Promise<void> => {
  const { hashes } = await snapshot(scripts, [...CHANNELS.map(keys.channelStats), keys.home]);
  const { moves, lost_moves: lost, restored } = failoverOf(hashes.at(-1) ?? {}, null);
  metrics.failovers({ whole: moves - lost, lost, restored, held: "to" in (hashes.at(-1) ?? {}) });
  for (const [at, channel] of CHANNELS.entries()) {
    const count = (field: string): number => countIn(hashes[at] ?? {}, field);
    const throttled = count("throttled") - count("paced");
    const released = count("released");
    const sending = count("sending");
    metrics.depths(channel, {
      queued: count("queued") - throttled,
      throttled,
      scheduled: count("scheduled"),
      sending,
      released,
    });
    metrics.held(channel, released + sending);
    metrics.ended(channel, Object.fromEntries(END_STATES.map((state) => [state, count(`ended:${state}`)])));
  }
};
