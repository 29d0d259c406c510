/** What the HTTP API stands on, in memory: the interfaces handed in, so that the routes can be seen without a Redis. */
import { pino } from "pino";
import { loadPolicy } from "../../config/policies.ts";
import type { Idempotency, KeptAnswer } from "../../src/accounts/idempotency.ts";
import { newSeed, type IdSeed } from "../../src/domain/id.ts";
import type { Instant, MonotonicMillis } from "../../src/domain/time.ts";
import type { Services } from "../../src/http/services.ts";
import { limiterOn } from "../../src/ratelimit/limiter.ts";
import { fakeAccounts, fakeKeys, fakePlans, fakeSuppressions, fakeTokens } from "./fake-accounts.ts";
import { fakeLooking, fakeSending } from "./fake-messages.ts";
import { fakeState, onRedis, type FakeState, type FakeWorld } from "./fake-state.ts";

export const ADMIN_KEY = "admin-key-of-this-test";

const fakeIdempotency = (world: FakeState): Idempotency => {
  const kept = new Map<
    string,
    { fingerprint: string; seed: IdSeed; at: Instant; decision: unknown; answer: KeptAnswer | null; running: boolean }
  >();
  return {
    start: async (account, route, key, fingerprint) => {
      await onRedis(world);
      const name = `${account} ${route} ${key}`;
      const before = kept.get(name);
      if (before && before.fingerprint !== fingerprint && (before.running || before.answer))
        return { kind: "mismatch" };
      if (before?.answer) return { kind: "replay", answer: before.answer };
      if (before?.running) return { kind: "running" };
      const { seed = newSeed(world.now), at = world.now, decision = null } = before ?? {};
      kept.set(name, { fingerprint, seed, at, decision, answer: null, running: true });
      return { kind: "fresh", seed, at };
    },
    keep: async (account, route, key, _fingerprint, answer) => {
      await onRedis(world);
      Object.assign(kept.get(`${account} ${route} ${key}`)!, { answer, running: false });
    },
    decide: async (account, route, key, _fingerprint, decision) => {
      const run = kept.get(`${account} ${route} ${key}`)!;
      run.decision ??= decision;
      return run.decision as typeof decision;
    },
    release: async (account, route, key) => {
      Object.assign(kept.get(`${account} ${route} ${key}`)!, { running: false });
    },
  };
};

export const fakeWorld = (overrides: Partial<Services> = {}): FakeWorld => {
  const world = fakeState();
  const keys = overrides.keys ?? fakeKeys(world);
  const services: Services = {
    accounts: fakeAccounts(world),
    keys,
    tokens: fakeTokens(world, keys),
    audit: { list: async () => ({ items: [], nextCursor: null }) },
    suppressions: fakeSuppressions(world),
    idempotency: fakeIdempotency(world),
    sending: fakeSending(world),
    looking: fakeLooking(world),
    control: {
      pause: async (account, channel) => void world.switches.push(["pause", account, channel]),
      resume: async (account, channel) => void world.switches.push(["resume", account, channel]),
    },
    health: {
      ready: async () => {
        await onRedis(world);
        return world.ready;
      },
    },
    metrics: {
      contentType: "text/plain; version=0.0.4; charset=utf-8",
      text: async () => "sluice_up 1\n",
      answered: ({ route, method, status }) => void world.answered.push({ route, method, status }),
    },
    limits: {
      // Nobody counts: test/e2e/limits.test.ts has the limits themselves, on Redis.
      limiter: limiterOn({
        policy: loadPolicy("none"),
        scripts: { run: () => Promise.reject(new Error("no Redis here")) },
        clock: { now: () => world.now, monotonic: () => world.monotonic as MonotonicMillis },
      }),
      usage: async () => [],
      events: async (after) => ({ events: [], after }),
      close: async () => {},
    },
    sandbox: {
      list: async ({ channel, limit }) =>
        world.arrivals.filter((arrival) => arrival.channel === (channel ?? arrival.channel)).slice(0, limit),
      page: (arrivals, { origin }) =>
        `<!doctype html><title>Sandbox</title><p>${arrivals.length} at ${origin.length}</p>`,
      pagePolicy: "default-src 'none'",
    },
    // Nobody's signature is good; a test of what is signed hands in its own.
    callbacks: { twilio: { isSigned: () => false, heard: async () => {} } },
    channels: {
      email: { configured: true, variable: "SMTP_URL", defaultFrom: null },
      sms: { configured: true, variable: "TWILIO_ACCOUNT_SID", defaultFrom: "+15005550006" },
      voice: { configured: true, variable: "TWILIO_ACCOUNT_SID", defaultFrom: null },
      whatsapp: { configured: false, variable: "TWILIO_ACCOUNT_SID", defaultFrom: null },
    },
    plans: fakePlans(),
    adminKey: ADMIN_KEY,
    clock: { now: () => world.now, monotonic: () => world.monotonic as MonotonicMillis },
    logger: pino({ level: "debug" }, { write: (line) => void world.logged.push(JSON.parse(line)) }),
    ...overrides,
  };
  return Object.assign(world, { services });
};
