/** Everything a run needs, set up and taken down: Redis, providers, the product's processes, the ledgers, the clock. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CHANNELS } from "../../src/domain/channel.ts";
import { keysOf } from "../../src/redis/keys.ts";
import { faultProxy } from "../support/fault-proxy.ts";
import { ownRedis } from "../support/own-redis.ts";
import { STARTS_AT } from "./accounts.ts";
import { ADMIN_KEY, apiOn } from "./api.ts";
import { buildProduct } from "./build.ts";
import { runClock } from "./clock.ts";
import { diceOf } from "./dice.ts";
import type { Acceptance, ProviderEntry } from "./entries.ts";
import { fleetOf, type Slot } from "./fleet.ts";
import { ledgerAt } from "./ledger.ts";
import { startProviders } from "./providers.ts";
import { readRow } from "../support/rows.ts";

export interface StageOptions {
  readonly seed: number;
  /** Ledgers and logs of the run go here. */
  readonly directory: string;
  readonly withStalls: boolean;
  readonly fsync: "always" | "everysec";
}

export const setStage = async ({ seed, directory, withStalls, fsync }: StageOptions) => {
  mkdirSync(directory, { recursive: true });
  const files = {
    accepted: join(directory, "accepted.jsonl"),
    provider: join(directory, "provider.jsonl"),
    states: join(directory, "states.json"),
    kills: join(directory, "kills.json"),
  };
  const closing: (() => unknown)[] = [];
  const startedAt = performance.now();
  const realNow = (): number => Math.round(performance.now() - startedAt);
  const dice = diceOf(seed);

  const build = await buildProduct();
  closing.push(build.remove);
  const server = await ownRedis({ fsync });
  closing.push(server.close);
  const redis = server.connect("patient");
  // Between the product and Redis. The run itself goes past it.
  const proxy = await faultProxy(server.address);
  closing.push(proxy.close);
  const keys = keysOf(server.cell);
  const clock = runClock(redis, keys, STARTS_AT);
  await clock.start();
  closing.push(clock.pause);
  const accepted = await ledgerAt<Acceptance>(files.accepted);
  const provider = await ledgerAt<ProviderEntry>(files.provider);
  closing.push(accepted.close, provider.close);
  const providers = await startProviders({ ledger: provider, clock, dice, withStalls, realNow });
  closing.push(providers.close);
  const fleet = fleetOf({
    buildUrl: build.url,
    redisUrl: `redis://127.0.0.1:${proxy.port}`,
    logFile: join(directory, "processes.log"),
    realNow,
    env: { ...providers.env, SLUICE_ADMIN_KEY: ADMIN_KEY, SLUICE_RATES: "email=off,sms=off,voice=off,whatsapp=off" },
  });
  const slots: Slot[] = [];
  const start = (...args: Parameters<typeof fleet.slot>): Slot => {
    const slot = fleet.slot(...args);
    slots.push(slot);
    return slot;
  };
  closing.push(() => Promise.all(slots.map((slot) => slot.stop("SIGKILL"))));

  const depths = async () => {
    const now = clock.now();
    const pipeline = redis.pipeline();
    for (const set of ["parked", "scheduled", "expiring"]) pipeline.zcount(keys.cell + set, "-inf", now);
    const replies = ((await pipeline.exec()) ?? []).map(([, reply]) => reply);
    const due = (replies as number[]).reduce((sum, count) => sum + count, 0);
    const rows = await Promise.all(CHANNELS.map((channel) => readRow(redis, keys.channelStats(channel))));
    const sum = (field: string): number => rows.reduce((total, row) => total + Number(row[field] ?? 0), 0);
    return {
      /** May go, and has not gone. */
      ready: due + sum("queued") - sum("throttled"),
      released: sum("released"),
      sending: sum("sending"),
      /** Not ended, whatever holds it. */
      open: sum("queued") + sum("scheduled") + sum("released") + sum("sending"),
    };
  };

  return {
    dice,
    realNow,
    server,
    proxy,
    redis,
    keys,
    clock,
    ledgers: { accepted, provider },
    files,
    providers,
    fleet,
    start,
    slots: slots as readonly Slot[],
    apiOf: (apis: readonly Slot[]) => apiOn(apis),
    depths,
    close: async (): Promise<void> => {
      for (const close of closing.toReversed()) await close();
    },
  };
};

export type Stage = Awaited<ReturnType<typeof setStage>>;
