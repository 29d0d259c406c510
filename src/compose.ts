/** Where objects are made and joined: by calling functions, each handed what it uses. Who opens a thing closes it. */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Config } from "../config/env.ts";
import { loadPlans } from "../config/plans.ts";
import { accountsOn } from "./accounts/accounts.ts";
import { apiKeysOn } from "./accounts/api-keys.ts";
import { auditOn } from "./accounts/audit.ts";
import { idempotencyOn } from "./accounts/idempotency-store.ts";
import { planShelfOn } from "./accounts/plan-shelf.ts";
import { suppressionsOn } from "./accounts/suppressions.ts";
import { tokensOn } from "./accounts/tokens.ts";
import { composeLimits } from "./compose-limits.ts";
import { CHANNELS, type Channel } from "./domain/channel.ts";
import { faultPoints } from "./domain/fault-point.ts";
import { END_STATES } from "./domain/message.ts";
import { seconds, systemClock } from "./domain/time.ts";
import { acceptingOn } from "./gate/accepting.ts";
import { batchesOn } from "./gate/batches.ts";
import { cancelingOn } from "./gate/canceling.ts";
import { contentsOn } from "./gate/contents.ts";
import { nudgerOn } from "./gate/nudge.ts";
import { readingOn } from "./gate/reading.ts";
import { rulesOn } from "./gate/rules.ts";
import type { Sending } from "./gate/sending.ts";
import { sheddingBy } from "./gate/shedding.ts";
import { zonesOn } from "./gate/zones.ts";
import type { ChannelSetup, Services, TwilioCallbacks } from "./http/services.ts";
import { createMetrics } from "./observe/metrics.ts";
import { isSigned, newsOf } from "./providers/twilio-callback.ts";
import { queuesOn } from "./queue/queues.ts";
import { connect, type RedisAddress } from "./redis/connect.ts";
import { durableRunner } from "./redis/durable.ts";
import { failoverOf } from "./redis/failover-facts.ts";
import { redisHealth } from "./redis/health.ts";
import { cellTag, keysOf } from "./redis/keys.ts";
import { readMemory } from "./redis/memory.ts";
import { scriptRunner } from "./redis/script.ts";
import { heard } from "./redis/scripts/heard.ts";
import { snapshot } from "./redis/scripts/snapshot.ts";
import { arrivalLog } from "./sandbox/arrivals.ts";
import { SANDBOX_PAGE_CSP, sandboxPage } from "./sandbox/page.ts";

/** Twilio's own test sender: what the sandbox sends as when a message names nobody. */
const SANDBOX_FROM = "+15005550006";

/** What every process has: connections, and the rooms that stand on them. */
export const composeCore = (config: Config, address: RedisAddress, log: Logger) => {
  const keys = keysOf(cellTag(config.cell));
  const metrics = createMetrics();
  const commands = connect(address, "commands", log);
  const patient = connect(address, "patient", log);
  const scripts = scriptRunner(commands, keys.cell, { testClock: config.testClock, observe: metrics.script });
  const promised = { level: config.durability, replicas: config.replicas };
  // Of its own, and only where something is waited for: a wait holds up whatever else is asked on the same connection.
  const kept = promised.level === "power" || promised.replicas > 0 ? connect(address, "durable", log) : null;
  const durable = kept
    ? durableRunner(kept, keys.cell, promised, {
        testClock: config.testClock,
        observe: metrics.script,
        clock: systemClock,
      })
    : scripts;
  const zones = zonesOn(commands, scripts, keys);
  const nudger = nudgerOn(commands, keys);
  const control = rulesOn({ redis: commands, scripts, keys, zones, nudger });
  const plans = loadPlans();
  const accounts = accountsOn({ redis: commands, keys, scripts, control, plans, clock: systemClock });
  const queues = queuesOn(patient, keys);
  const contents = contentsOn(commands, keys);
  if (config.testClock || config.fault)
    log.error(
      { event: "test_switches", fault: config.fault },
      "NOT FOR PRODUCTION: a test's clock, or a point to die at",
    );
  const pass = faultPoints(config.fault, () => process.kill(process.pid, "SIGKILL"));
  return {
    address,
    config,
    log,
    keys,
    metrics,
    commands,
    patient,
    scripts,
    /** For what must be kept as promised before anybody acts on it. */
    durable,
    promised,
    zones,
    nudger,
    control,
    plans,
    accounts,
    queues,
    contents,
    pass,
    close: async () => {
      await queues.close();
      await Promise.all([commands, patient, ...(kept ? [kept] : [])].map(ended));
    },
  };
};

export type Core = ReturnType<typeof composeCore>;

const GOODBYE = seconds(2);

/** Politely, unless Redis is away, or says nothing any more: then there is nobody to say goodbye to. */
export const ended = async (redis: Redis): Promise<void> => {
  const overdue = setTimeout(() => redis.disconnect(), GOODBYE);
  if (redis.status === "ready") await redis.quit().catch(() => {});
  clearTimeout(overdue);
  redis.disconnect();
};

const setupOf = (channel: Channel, config: Config, sandboxed: boolean): ChannelSetup => {
  const { [channel]: service } = config.httpProviders;
  if (service) return { configured: true, variable: "SLUICE_HTTP_PROVIDERS", defaultFrom: service.from };
  if (channel === "email")
    return { configured: config.smtpUrl !== null || sandboxed, variable: "SMTP_URL", defaultFrom: null };
  const from = config.twilio ? config.twilio.from : sandboxed ? SANDBOX_FROM : null;
  return { configured: config.twilio !== null || sandboxed, variable: "TWILIO_ACCOUNT_SID", defaultFrom: from };
};

/** Puts the sums over all accounts and processes into the metrics, as of now. */
const measure = async ({ scripts, keys, metrics }: Core): Promise<void> => {
  const { hashes } = await snapshot(scripts, [...CHANNELS.map(keys.channelStats), keys.home]);
  const { moves, lost_moves: lost, restored } = failoverOf(hashes.at(-1) ?? {}, null);
  metrics.failovers({ whole: moves - lost, lost, restored, held: "to" in (hashes.at(-1) ?? {}) });
  for (const [at, channel] of CHANNELS.entries()) {
    const count = (field: string): number => Number(hashes[at]?.[field] ?? 0);
    const [queued, throttled, released, sending] = ["queued", "throttled", "released", "sending"].map(count) as [
      number,
      number,
      number,
      number,
    ];
    metrics.depths(channel, {
      queued: queued - throttled,
      throttled,
      scheduled: count("scheduled"),
      sending,
      released,
    });
    metrics.held(channel, released + sending);
    metrics.ended(channel, Object.fromEntries(END_STATES.map((state) => [state, count(`ended:${state}`)])));
  }
};

const twilioCallbacks = ({ config, scripts, log }: Core): TwilioCallbacks | null => {
  const { twilio, publicUrl } = config;
  if (twilio === null || publicUrl === null) return null;
  return {
    isSigned: (target, params, signature) =>
      isSigned({ authToken: twilio.authToken, url: publicUrl + target, params, signature }),
    heard: async (id, form) => {
      const news = newsOf(form);
      if (news === null) return;
      const what = await heard(scripts, id, news.verdict, news.providerId, news.reason);
      log.debug({ event: "provider_told", message: id, verdict: news.verdict, what }, "Twilio told of a message");
    },
  };
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

/** What the HTTP API is handed. `sandboxed`: channels without a provider go to the sandbox. */
export const composeServices = (core: Core, adminKey: string, sandboxed: boolean): Services => {
  const { config, commands, keys, scripts, metrics, accounts, control, queues, plans, log } = core;
  const clock = systemClock;
  const arrivals = arrivalLog(commands, keys.arrived);
  const apiKeys = apiKeysOn({ redis: commands, keys, scripts, clock, plans });
  const isPretended = sandboxed && (config.smtpUrl === null || config.twilio === null);
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
    health: { ready: redisHealth(commands, scripts, keys, core.promised) },
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
    plans: planShelfOn({ redis: commands, keys, scripts, clock, file: plans, tellAccounts: accounts.finishPlans }),
    adminKey,
    clock,
    logger: log,
  };
};
