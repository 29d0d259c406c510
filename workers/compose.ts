/** A worker process's own objects: providers (or the sandbox in their place), the gate, and BullMQ's workers. */
import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import { CHANNELS, type Channel } from "../src/domain/channel.ts";
import { milliseconds, seconds, systemClock, type Millis } from "../src/domain/time.ts";
import type { Config } from "../config/env.ts";
import { leavesAny } from "../config/own-providers.ts";
import type { Core } from "../src/compose.ts";
import { failoverWith } from "../src/gate/failover.ts";
import { gathered } from "../src/gate/gathered.ts";
import { startGate } from "../src/gate/gate.ts";
import { loop } from "../src/gate/loop.ts";
import { onNudge } from "../src/gate/nudge.ts";
import { httpProvider } from "../src/providers/http.ts";
import type { Provider } from "../src/providers/provider.ts";
import { smtpProvider } from "../src/providers/smtp.ts";
import { twilioProvider } from "../src/providers/twilio.ts";
import { statusCallbackAt } from "../src/providers/twilio-callback.ts";
import { closeConnection, connect } from "../src/redis/connect.ts";
import { beat } from "../src/redis/scripts/beat.ts";
import { arrivalLog } from "../src/sandbox/arrivals.ts";
import { startSandbox, type Sandbox } from "../src/sandbox/sandbox.ts";
import type { Lifecycle } from "../src/start/lifecycle.ts";
import { askingWith } from "./asking.ts";
import { dispatcher } from "./dispatch.ts";
import { closeWorkers, giveBackUntaken } from "./ending.ts";
import { REMEMBERED_FOR, witnessOf } from "./witness.ts";
import { startWorker, type Held } from "./worker.ts";

/** Dead after three missed ones (scripts/lib/workers.lua). */
const BEAT_EVERY = seconds(2);
/** What `begin` gives an attempt on any channel, at most: an attempt that is put back after a failover has it from then on. */
const longestReapIn = ({ channels }: Config): Millis =>
  milliseconds(
    Math.max(
      ...CHANNELS.map((channel) => {
        const { callBudget, attemptTimeout, reapMargin } = channels[channel];
        return callBudget + attemptTimeout + reapMargin;
      }),
    ),
  );

/** Attempts after which the gate looks for more: of the spare ones that each hand has (release.lua), a small part. */
const enoughFor = (hands: number): number => Math.max(1, Math.floor(hands / 4));
const SOON = milliseconds(5);

/** Of each channel its service over HTTP; of one without, SMTP or Twilio, or what the sandbox has in their place. */
const providersOf = ({ config, pass }: Core, sandbox: Sandbox | null): readonly Provider[] => {
  const written = { onWritten: () => pass("provider.written") };
  const smtpUrl = config.smtpUrl ?? sandbox?.smtpUrl;
  const { twilio, twilioApiBaseUrl, publicUrl } = config;
  const { callBudget, attemptTimeout } = config.channels.sms;
  const messageIdDomain = publicUrl === null ? "sluice.invalid" : new URL(publicUrl).hostname;
  const baseUrl = twilioApiBaseUrl === null ? {} : { baseUrl: twilioApiBaseUrl };
  const callback = publicUrl === null ? {} : { statusCallback: statusCallbackAt(publicUrl) };
  const account = twilio === null ? sandbox?.twilio : { ...twilio, ...baseUrl, ...callback };
  const overHttp = CHANNELS.flatMap((channel) => {
    const { [channel]: service } = config.httpProviders;
    const timeout = config.channels[channel].attemptTimeout;
    return service ? [httpProvider({ channel, service, timeout, ...written })] : [];
  });
  const others = [
    ...(smtpUrl === undefined
      ? []
      : [
          smtpProvider({
            url: smtpUrl,
            messageIdDomain,
            connections: config.channels.email.concurrency,
            timeout: config.channels.email.attemptTimeout,
            ...written,
          }),
        ]),
    ...(account === undefined ? [] : [twilioProvider({ ...account, callBudget, timeout: attemptTimeout, ...written })]),
  ];
  // A service of its own goes before what a channel has otherwise.
  const isLeft = (channel: Channel): boolean => config.httpProviders[channel] === undefined;
  return [...overHttp, ...others.map((other) => ({ ...other, channels: other.channels.filter(isLeft) }))];
};

/**
 * Starts sending; `lifecycle` is handed what stops it, in reverse.
 * @param given providers that stand in for the configured ones: a benchmark measures what is around them
 */
export const composeWorker = async (
  core: Core,
  lifecycle: Pick<Lifecycle, "add">,
  sandboxed: boolean,
  given?: readonly Provider[],
): Promise<void> => {
  const { config, log, keys, scripts, durable, queues, zones, contents, metrics, control, accounts, pass } = core;
  const stopping = new AbortController();
  // Every attempt that waits for its slot listens: as many as there are hands.
  setMaxListeners(0, stopping.signal);

  const sandbox =
    sandboxed && leavesAny(config)
      ? // Patiently: a provider does not refuse what it has taken in because our Redis is away.
        await startSandbox({ record: arrivalLog(core.patient, keys.arrived).add, log })
      : null;
  if (sandbox) lifecycle.add("sandbox", () => sandbox.close());
  const providers = given ?? providersOf(core, sandbox);
  lifecycle.add("providers", () => Promise.all(providers.map((provider) => provider.close())));
  const channels = CHANNELS.filter((channel) => providers.some((provider) => provider.channels.includes(channel)));

  // Absolute values: every process says the same at start, and again when Redis has come back empty-handed.
  const rates = loop("rates", log, async () => {
    for (const channel of CHANNELS) await control.setChannelRate(channel, config.channels[channel].rateInterval);
    return seconds(60);
  });
  lifecycle.add("rates", () => rates.stop());

  const mostTries = Object.fromEntries(
    CHANNELS.map((channel) => [channel, config.channels[channel].retry.tries]),
  ) as Record<Channel, number>;
  // Also where nobody can tell: a text that may have been sent must end all the same.
  const canAsk = channels.some((channel) => channel === "sms" || channel === "whatsapp");
  const id = randomUUID();
  /** Jobs in this process's hands. */
  const held = new Set<Held>();
  const witness = witnessOf(
    systemClock,
    longestReapIn(config),
    milliseconds(Math.min(REMEMBERED_FOR, config.retention)),
  );
  const failover = failoverWith({ scripts, worker: id, handIn: () => witness.handIn(scripts), log });
  const gate = startGate({
    scripts,
    queues,
    zones,
    failover,
    holding: { worker: id, has: (job) => [...held].some((one) => one.job === job) },
    retention: { bodies: config.bodyRetention, records: config.retention },
    mostTries,
    ...(canAsk ? { ask: askingWith({ scripts, contents, providers, mostTries, log }) } : {}),
    log,
    pass,
    onRelease: metrics.gatePass,
    chores: async () => {
      await accounts.finishRemovals();
      await accounts.finishChanges();
      await accounts.finishPlans();
    },
  });
  lifecycle.add("gate", () => gate.stop());
  const subscriber = connect(core.address, "subscriber", log);
  lifecycle.add("nudges", () => closeConnection(subscriber));
  onNudge(subscriber, keys, (what) => {
    // Those that come in one turn of the event loop are one.
    setImmediate(() => gate.nudge(what));
  });

  const workers = providers.flatMap((provider) =>
    provider.channels.map((channel) => {
      const policy = config.channels[channel];
      const { concurrency } = policy;
      const tellGate = gathered(enoughFor(concurrency), SOON, () => gate.nudge(channel));
      const dispatch = dispatcher(
        {
          scripts,
          durable,
          contents,
          clock: systemClock,
          random: Math.random,
          log,
          pass,
          witness,
          stopping: stopping.signal,
          onAttempt: ({ channel: on, outcome, tookMs }) => {
            metrics.attempt(on, outcome, tookMs);
            tellGate();
          },
        },
        provider,
        policy,
      );
      return startWorker({ connection: core.patient, keys, channel, concurrency, dispatch, name: id, held, log });
    }),
  );
  lifecycle.add("workers", async () => {
    stopping.abort();
    await closeWorkers(workers, core.patient.status !== "ready", () => held.size);
    // A courtesy: what nobody gives back is found by the next worker's sweeper.
    const back = core.patient.status === "ready" ? await giveBackUntaken(scripts).catch(() => 0) : 0;
    if (back > 0) log.info({ event: "given_back", count: back }, "what has not begun is back in its lane");
  });

  const hands = Object.fromEntries(channels.map((channel) => [channel, config.channels[channel].concurrency]));
  const beating = loop("beat", log, async () => {
    await beat(scripts, id, hands, true, failover.generation());
    return BEAT_EVERY;
  });
  lifecycle.add("beat", async () => {
    await beating.stop();
    await beat(scripts, id, hands, false).catch(() => {});
  });
  log.info({ event: "worker_started", worker: id, channels, sandboxed: sandbox !== null }, "worker started");
};
