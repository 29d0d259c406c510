/** How each channel behaves unless the environment says otherwise. */
import type { Channel } from "../src/domain/channel.ts";
import { hours, milliseconds, minutes, seconds, type Millis } from "../src/domain/time.ts";

export interface ChannelSettings {
  /** The least time between two starts of attempts on the channel, over all workers; null is unlimited. */
  readonly rateInterval: Millis | null;
  /** Attempts in flight per worker process. */
  readonly concurrency: number;
  /** Exponential backoff with full jitter: the n-th wait is anything from 1 s to min(cap, base × 2ⁿ⁻¹). */
  readonly retry: { readonly base: Millis; readonly cap: Millis; readonly tries: number };
  /** From just before the call of `begin` that said go: past it, the provider is not called. */
  readonly callBudget: Millis;
  /** One attempt is given up (and is uncertain) after this. */
  readonly attemptTimeout: Millis;
  /** How much later than the two together the reaper may conclude that the worker is gone. */
  readonly reapMargin: Millis;
}

/**
 * 2 + 20 + 3 = 25 s: what a stopping worker is given before it is killed (Docker's and Kubernetes' grace is 30 s), and
 * the longest that a dead worker's message stays `sending`. The budget is time enough for an event loop that was held
 * up. 20 s is longer than a healthy SMTP server takes after the final dot (RFC 5321 allows ten minutes; those that
 * scan on reception take seconds) and than Twilio's API takes to answer (its SDK gives up after 30 s, too late for us).
 * The margin covers the way of the last reply from the provider, through the worker, to Redis.
 */
const PATIENCE = { callBudget: seconds(2), attemptTimeout: seconds(20), reapMargin: seconds(3) };

const perSecond = (count: number): Millis => milliseconds(1_000 / count);

/** Texts are wanted within minutes: 8 tries outlive a ten-minute incident (10.6 min at most, half of it on average). */
const TEXT_RETRY = { base: seconds(5), cap: minutes(10), tries: 8 };

export const CHANNEL_DEFAULTS: { readonly [channel in Channel]: ChannelSettings } = {
  email: {
    // What a fresh account of the large relays may send at least; Amazon SES starts production accounts at 14/s.
    rateInterval: perSecond(50),
    concurrency: 50,
    // Greylisting servers want to see the same mail again after 5 to 60 minutes: ten tries spread over 3.1 h at most,
    // 1.5 h on average. An attempt that never reached the server costs none of them, so an outage may last longer.
    retry: { base: seconds(30), cap: hours(1), tries: 10 },
    ...PATIENCE,
  },
  sms: {
    rateInterval: perSecond(10),
    concurrency: 20,
    retry: TEXT_RETRY,
    ...PATIENCE,
  },
  voice: {
    // One call a second is what Twilio starts for a new customer; the rest would wait in its queue, out of our sight.
    rateInterval: perSecond(1),
    concurrency: 5,
    // A telephone that rings late is worse than one that does not: 90 s at most.
    retry: { base: seconds(30), cap: minutes(10), tries: 3 },
    ...PATIENCE,
  },
  whatsapp: {
    rateInterval: perSecond(20),
    concurrency: 20,
    retry: TEXT_RETRY,
    ...PATIENCE,
  },
};
