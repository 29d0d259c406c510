/**
 * The whole of Sluice on a cell of its own: API over real HTTP, workers, gate, BullMQ, a real SMTP socket and Twilio's SDK
 * over HTTP, with a ledger on the provider's side and a clock that is moved by hand.
 */
import { pino, type Logger } from "pino";
import { readEnv, type Config } from "../../config/env.ts";
import { composeServices } from "../../src/compose-services.ts";
import { composeCore, type Core } from "../../src/compose.ts";
import { CHANNELS, type Channel } from "../../src/domain/channel.ts";
import { instant, type Instant } from "../../src/domain/time.ts";
import { createServer } from "../../src/http/server.ts";
import type { Arrival } from "../../src/sandbox/arrival.ts";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { composeWorker } from "../../workers/compose.ts";
import { snapshot } from "../../src/redis/scripts/snapshot.ts";
import { testRedis, type TestRedis } from "./redis.ts";
import { until } from "./until.ts";

/** One arrival at a provider, by the clock that the test moves. */
export interface LedgerEntry extends Arrival {
  readonly at: Instant;
}

export interface Answer {
  readonly status: number;
  readonly body: any;
  readonly headers: Headers;
}

export interface WorldOptions {
  /** RFC 3339; the clock starts here. */
  readonly at?: string;
  readonly zone?: string;
  readonly quotas?: Record<string, Record<string, number | null>>;
  readonly workers?: number;
  readonly env?: Record<string, string>;
  /** A server and a cell that the test closes itself; else a cell of the shared server. */
  readonly redis?: TestRedis;
  readonly log?: Logger;
  /** Instead of the ledger's mail server; its own URL is handed in. */
  readonly smtpUrl?: (ledgers: string) => string;
  /** Instead of the ledger's stand-in for Twilio. */
  readonly twilioUrl?: string;
}

const ADMIN_KEY = "a-key-for-the-operator-of-tests";

const partsOf = () => {
  const parts: (() => Promise<unknown>)[] = [];
  return {
    add: (_name: string, close: () => Promise<unknown>) => void parts.push(close),
    stop: async () => {
      for (let part = parts.pop(); part; part = parts.pop()) await part();
    },
  };
};

export const aWorld = async (options: WorldOptions = {}) => {
  const { at = "2026-03-01T09:00:00Z", zone = "UTC", quotas, workers = 1, env = {} } = options;
  const server: TestRedis = options.redis ?? (await testRedis());
  const parts = partsOf();
  let now = instant(Date.parse(at));
  const ledger: LedgerEntry[] = [];
  /** Set by a test: what the provider waits for before it takes a message in and answers. */
  const provider: { beforeArrival: ((arrival: Arrival) => Promise<void>) | null } = { beforeArrival: null };
  const log = options.log ?? pino({ level: process.env["SLUICE_TEST_LOG"] ?? "silent" });

  const providers = await startSandbox({
    record: async (arrival) => {
      await provider.beforeArrival?.(arrival);
      ledger.push({ ...arrival, at: now });
    },
    log,
    clock: { now: () => now, monotonic: () => performance.now() as never },
  });
  parts.add("providers", providers.close);

  const cell = server.cell.slice(4, -2);
  const base: Config = readEnv({
    SLUICE_RATES: "email=off,sms=off,voice=off,whatsapp=off",
    // What a test asks about a message is not what it is about.
    SLUICE_API_POLICY: "none",
    ...env,
  });
  const config: Config = {
    ...base,
    cell,
    testClock: true,
    smtpUrl: options.smtpUrl?.(providers.smtpUrl) ?? providers.smtpUrl,
    twilio: { ...providers.twilio },
    twilioApiBaseUrl: options.twilioUrl ?? providers.twilio.baseUrl,
    adminKey: ADMIN_KEY,
  };
  const cores: Core[] = [];
  const newCore = (): Core => {
    const core = composeCore(config, server.address, log);
    parts.add("core", core.close);
    cores.push(core);
    return core;
  };
  const core = newCore();
  await core.commands.set(core.keys.testClock, now);

  const app = await createServer(composeServices(core, ADMIN_KEY, false), {
    guessLimit: { perSecond: 100_000, burst: 100_000 },
  });
  parts.add("api", () => app.close());
  const origin = await app.listen({ host: "127.0.0.1", port: 0 });

  const startWorker = async (): Promise<{ stop(): Promise<void> }> => {
    const own = partsOf();
    await composeWorker(newCore(), own, false);
    return own;
  };
  const running = await Promise.all(Array.from({ length: workers }, startWorker));
  parts.add("workers", () => Promise.all(running.splice(0).map((worker) => worker.stop())));

  const call = async (method: string, path: string, body?: unknown, key = ADMIN_KEY, headers = {}): Promise<Answer> => {
    const response = await fetch(origin + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = (response.headers.get("content-type") ?? "").includes("json");
    return { status: response.status, headers: response.headers, body: isJson && text ? JSON.parse(text) : text };
  };

  const newAccount = async (name: string, more: Record<string, unknown> = {}) => {
    const made = await call("POST", "/v1/accounts", { name, timezone: zone, ...more });
    if (made.status !== 201) throw new Error(`no account: ${JSON.stringify(made.body)}`);
    const id = made.body.id as string;
    const key = (await call("POST", `/v1/accounts/${id}/keys`, {})).body.key as string;
    return { id, key };
  };
  const account = await newAccount("Test", quotas === undefined ? {} : { quotas });

  const mail = (n: number, more = {}) => ({
    from: "shop@example.com",
    to: `r${n}@example.net`,
    subject: `Message ${n}`,
    text: `body ${n}`,
    ...more,
  });
  const text = (n: number, more = {}) => ({ to: `+1500555${String(1000 + n)}`, body: `text ${n}`, ...more });
  const bodyFor: Record<Channel, (n: number, more?: object) => object> = {
    email: mail,
    sms: text,
    whatsapp: text,
    voice: (n, more = {}) => ({ to: `+1500555${String(1000 + n)}`, say: `words ${n}`, ...more }),
  };
  const pathFor: Record<Channel, string> = {
    email: "/v1/email/send",
    sms: "/v1/sms/send",
    whatsapp: "/v1/whatsapp/send",
    voice: "/v1/voice/call",
  };

  const depths = async () => {
    // What is due first: once nothing is, the sums read afterwards know of everything that was.
    const due = await Promise.all(
      ["parked", "scheduled", "expiring"].map((set) => core.commands.zcount(core.keys.cell + set, "-inf", now)),
    );
    const { hashes } = await snapshot(core.scripts, CHANNELS.map(core.keys.channelStats));
    const sum = (field: string): number => hashes.reduce((total, row) => total + Number(row[field] ?? 0), 0);
    return {
      due: due.reduce((total, count) => total + count, 0),
      ready: sum("queued") - sum("throttled"),
      inFlight: sum("released") + sum("sending"),
      throttled: sum("throttled"),
    };
  };

  /** Nothing that may go has not gone: what waits is held up, and nothing is in flight. */
  const quiet = () =>
    until(
      async () => {
        const { due, ready, inFlight } = await depths();
        return due === 0 && ready === 0 && inFlight === 0;
      },
      { what: "everything that may go has gone", within: 30_000 },
    );

  return {
    server,
    core,
    /** What each worker in this process counts for itself. */
    workerMetrics: () => Promise.all(cores.slice(1).map((worker) => worker.metrics.text())),
    config,
    origin,
    ledger,
    provider,
    account,
    newAccount,
    bodyFor,
    pathFor,
    call,
    quiet,
    depths,
    now: () => now,
    /** As the account. */
    as: (method: string, path: string, body?: unknown, headers = {}) => call(method, path, body, account.key, headers),
    send: (n: number, channel: Channel = "email", more: object = {}, key = account.key) =>
      call("POST", pathFor[channel], bodyFor[channel](n, more), key),
    /** Those it began with. */
    stopWorkers: () => Promise.all(running.splice(0).map((worker) => worker.stop())),
    startWorker: async () => {
      const worker = await startWorker();
      parts.add("worker", worker.stop);
      return worker;
    },
    /** Moves the clock; live workers stay alive over it. Nothing may be in flight. */
    advanceTo: async (to: string | number): Promise<void> => {
      now = instant(typeof to === "number" ? to : Date.parse(to));
      const members = await core.commands.zrange(core.keys.workers, "0", "-1");
      await core.commands.set(core.keys.testClock, now);
      for (const member of members) await core.commands.zadd(core.keys.workers, now, member);
      await core.commands.publish(core.keys.nudge, "*");
    },
    stop: async () => {
      await parts.stop();
      if (options.redis === undefined) await server.close();
    },
  };
};

export type World = Awaited<ReturnType<typeof aWorld>>;
