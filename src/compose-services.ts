/** What the HTTP API is handed, on what every process has. */
import type { Config } from "../config/env.ts";
import { hasOwnProvider, leavesAny } from "../config/own-providers.ts";
import { apiKeysOn } from "./accounts/api-keys.ts";
import { auditOn } from "./accounts/audit.ts";
import { idempotencyOn } from "./accounts/idempotency-store.ts";
import { planStoreOn } from "./accounts/plan-store.ts";
import { suppressionsOn } from "./accounts/suppressions.ts";
import { tokensOn } from "./accounts/tokens.ts";
import { twilioCallbacks } from "./compose-callbacks.ts";
import { composeLimits } from "./compose-limits.ts";
import { measure } from "./compose-metrics.ts";
import type { Core } from "./compose.ts";
import { CHANNELS, type Channel } from "./domain/channel.ts";
import { systemClock } from "./domain/time.ts";
import { acceptingOn } from "./gate/accepting.ts";
import { batchesOn } from "./gate/batches.ts";
import { cancelingOn } from "./gate/canceling.ts";
import { readingOn } from "./gate/reading.ts";
import type { Sending } from "./gate/sending.ts";
import { sheddingBy } from "./gate/shedding.ts";
import type { ChannelSetup, Services } from "./http/services.ts";
import { redisHealth } from "./redis/health.ts";
import { readMemory } from "./redis/memory.ts";
import { shared } from "./redis/shared.ts";
import { arrivalLog } from "./sandbox/arrivals.ts";
import { SANDBOX_PAGE_CSP, sandboxPage } from "./sandbox/page.ts";
import { SANDBOX_FROM } from "./sandbox/sandbox.ts";

const setupOf = (channel: Channel, config: Config, sandboxed: boolean): ChannelSetup => {
  const { [channel]: service } = config.httpProviders;
  if (service) return { configured: true, variable: "SLUICE_HTTP_PROVIDERS", defaultFrom: service.from };
  const configured = sandboxed || hasOwnProvider(config, channel);
  if (channel === "email") return { configured, variable: "SMTP_URL", defaultFrom: null };
  const from = config.twilio ? config.twilio.from : sandboxed ? SANDBOX_FROM : null;
  return { configured, variable: "TWILIO_ACCOUNT_SID", defaultFrom: from };
};

const composeSending = ({ config, commands, keys, scripts, durable, contents, pass }: Core): Sending => {
  const batches = batchesOn({ redis: commands, scripts, keys });
  const shedding = sheddingBy(() => readMemory(commands), systemClock);
  const { backlogCap } = config;
  return {
    ...acceptingOn({ redis: commands, scripts, durable, keys, contents, shedding, backlogCap, pass }),
    ...cancelingOn(durable, batches),
    batch: batches.counts,
  };
};

/** @param sandboxed channels without a provider go to the sandbox. */
export const composeServices = (core: Core, adminKey: string, sandboxed: boolean): Services => {
  const { config, commands, keys, scripts, metrics, accounts, control, queues, plans, log } = core;
  const clock = systemClock;
  const arrivals = arrivalLog(commands, keys.arrived);
  const apiKeys = apiKeysOn({ redis: commands, keys, scripts, clock, plans });
  const isPretended = sandboxed && leavesAny(config);
  return {
    accounts,
    keys: apiKeys,
    tokens: tokensOn({ scripts, clock, keys: apiKeys }),
    audit: auditOn({ redis: commands, keys }),
    suppressions: suppressionsOn({ redis: commands, keys, clock }),
    idempotency: idempotencyOn({ scripts, clock }),
    sending: composeSending(core),
    looking: readingOn({ redis: commands, scripts, keys, queues }),
    control,
    health: { ready: shared(redisHealth(commands, scripts, keys, core.promised)) },
    metrics: {
      contentType: metrics.contentType,
      text: async () => {
        await measure(core).catch(() => {}); // Redis away: the rest is still worth telling
        return metrics.text();
      },
      answered: ({ route, method, status, took }) => metrics.http(route, method, status, took),
    },
    sandbox: isPretended ? { list: arrivals.list, page: sandboxPage, pagePolicy: SANDBOX_PAGE_CSP } : null,
    callbacks: { twilio: twilioCallbacks(core) },
    channels: Object.fromEntries(
      CHANNELS.map((channel) => [channel, setupOf(channel, config, sandboxed)]),
    ) as Services["channels"],
    limits: composeLimits(core),
    plans: planStoreOn({ redis: commands, keys, scripts, clock, file: plans, tellAccounts: accounts.finishPlans }),
    adminKey,
    clock,
    logger: log,
  };
};
