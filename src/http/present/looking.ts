import { CHANNELS, type Channel } from "../../domain/channel.ts";
import { leftOf, type QuotaUse } from "../../domain/quota.ts";
import { formatIn, formatUtc } from "../../domain/timestamp.ts";
import type { Window } from "../../domain/window.ts";
import type { LevelUse, QueueReport as TheQueue, QuotaReport as TheQuotas } from "../../gate/looking.ts";
import type { Level, QueueReport, QuotaReport } from "../schemas/looking.ts";
import { momentJson } from "./message.ts";

const useJson = (use: QuotaUse & { readonly window: Window }, zone: string) => ({
  limit: use.limit,
  used: use.used,
  held: use.held,
  // A limit that was lowered under what is used already leaves nothing, not less than nothing.
  remaining: use.limit === null ? null : Math.max(0, leftOf(use)),
  starts_at: formatIn(use.window.startsAt, zone),
  resets_at: formatIn(use.window.endsAt, zone),
});

const levelJson = (level: LevelUse, zone: string): Level => ({
  minute: useJson(level.minute, zone),
  hour: useJson(level.hour, zone),
  day: useJson(level.day, zone),
  month: useJson(level.month, zone),
});

const forChannels = <Value>(value: (channel: Channel) => Value): { [channel in Channel]: Value } =>
  Object.fromEntries(CHANNELS.map((channel) => [channel, value(channel)])) as { [channel in Channel]: Value };

export const quotasJson = (report: TheQuotas): QuotaReport => {
  const { timezone } = report;
  const senders: Record<string, { [channel in Channel]?: Level }> = {};
  for (const { channel, sender, use } of report.senders)
    senders[sender] = { ...senders[sender], [channel]: levelJson(use, timezone) };
  return {
    ...forChannels((channel) => levelJson(report.channels[channel], timezone)),
    all: levelJson(report.all, timezone),
    senders,
  };
};

export const queuesJson = (report: { readonly [channel in Channel]: TheQueue }, zone: string): QueueReport =>
  forChannels((channel) => {
    const queue = report[channel];
    return {
      queued: queue.queued,
      throttled: queue.throttled,
      scheduled: queue.scheduled,
      sending: queue.sending,
      oldest_at: momentJson(queue.oldestAt, zone),
      rate_per_second: queue.ratePerSecond,
      drains_at: momentJson(queue.drainsAt, zone),
      paused: queue.paused,
      ...(queue.jobs === undefined ? {} : { jobs: queue.jobs }),
    };
  });

export const windowJson = (window: Window) => ({
  starts_at: formatUtc(window.startsAt),
  ends_at: formatUtc(window.endsAt),
});
