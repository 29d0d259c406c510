/** The product as it is composed for production, with a provider handed in: what every row about it measures. */
import { CHANNELS } from "../src/domain/channel.ts";
import type { IdSeed } from "../src/domain/id.ts";
import { newSeed } from "../src/domain/id.ts";
import { systemClock } from "../src/domain/time.ts";
import { readEnv, type Config } from "../config/env.ts";
import { composeServices } from "../src/compose-services.ts";
import { composeCore, type Core } from "../src/compose.ts";
import { setLimits } from "../src/redis/scripts/set-limits.ts";
import type { Limits } from "../src/gate/control.ts";
import type { Provider } from "../src/providers/provider.ts";
import { composeWorker } from "../workers/compose.ts";
import { inParallel } from "./in-parallel.ts";
import { draftOf, type Request } from "./messages.ts";
import { until } from "./until.ts";
import { silent, type BenchRedis } from "./redis.ts";
import { snapshot } from "../src/redis/scripts/snapshot.ts";

const ADMIN_KEY = "a-key-for-the-operator-of-benchmarks";

const NOWHERE = "smtp://127.0.0.1:25";

/** No rates, since they are what would be measured; no log lines, since no peer writes any. */
const configFor = (cell: string, concurrency: number, smtpUrl: string): Config => ({
  ...readEnv({
    SLUICE_RATES: CHANNELS.map((channel) => `${channel}=off`).join(","),
    SLUICE_CONCURRENCY: `email=${concurrency}`,
    SLUICE_BACKLOG_CAP: "100000000",
    SMTP_URL: smtpUrl,
    LOG_LEVEL: "silent",
  }),
  cell,
  adminKey: ADMIN_KEY,
});

const partsOf = () => {
  const parts: (() => Promise<unknown>)[] = [];
  return {
    add: (_name: string, close: () => Promise<unknown>) => void parts.push(close),
    stop: async () => {
      for (let part = parts.pop(); part; part = parts.pop()) await part();
    },
  };
};

/** Accounts of the suite are numbers that are read back from their ids. */
export const accountId = (n: number): string => `acc_${String(n).padStart(26, "0")}`;
export const accountNumber = (id: string): number => Number(id.slice(4));

export interface SystemOptions {
  readonly redis: Pick<BenchRedis, "address" | "look">;
  /** A word of its own, for several systems on one server. */
  readonly cell?: string;
  readonly concurrency?: number;
  /** Where mail goes when no provider is handed in; the API only wants to know that it could. */
  readonly smtpUrl?: string;
}

export const aSystem = ({ redis, cell = "bench", concurrency = 100, smtpUrl = NOWHERE }: SystemOptions) => {
  const parts = partsOf();
  const core: Core = composeCore(configFor(cell, concurrency, smtpUrl), redis.address, silent);
  parts.add("core", core.close);
  const services = composeServices(core, ADMIN_KEY, false);
  const { commands, keys, scripts, control } = core;

  /** As they stand after POST /v1/accounts, as far as the gate sees them: thousands a second instead of hundreds. */
  const accounts = async (from: number, count: number, limits: Limits, zone = "UTC"): Promise<void> => {
    await control.setAccount(accountId(from), { zone, weight: 1 });
    await inParallel(
      Array.from({ length: count }, (_, at) => accountId(from + at)),
      100,
      async (id) => {
        await commands.hset(keys.account(id), { zone, weight: 1 });
        await setLimits(scripts, { level: "channel", account: id, channel: "email" }, limits);
      },
    );
  };

  const ended = async (): Promise<number> =>
    Number((await snapshot(scripts, [keys.channelStats("email")])).hashes[0]?.["ended:sent"] ?? 0);

  return {
    core,
    services,
    accounts,
    /** What the API does with one bulk request. */
    accept: ({ account, numbers }: Request) =>
      services.sending.acceptBatch(accountId(account), { channel: "email" }, numbers.map(draftOf), seed()),
    /** What the API does with one message. */
    acceptOne: (account: number, n: number) => services.sending.accept(accountId(account), [draftOf(n)], seed()),
    /** Resolves when it is heard of: the gate counts on its hands, and hears nudges. */
    startWorker: async (provider?: Provider): Promise<void> => {
      await composeWorker(core, parts, false, provider && [provider]);
      await until("a worker that is heard of", async () => {
        const [, listening] = (await redis.look.pubsub("NUMSUB", keys.nudge)) as [string, number];
        return listening > 0 && (await redis.look.zcard(keys.workers)) > 0;
      });
    },
    /** All of them are charged and closed in Redis, not only taken in by the provider. */
    settled: (count: number) => until(`${count} settled messages`, async () => (await ended()) >= count),
    parts,
    close: parts.stop,
  };
};

const seed = (): IdSeed => newSeed(systemClock.now());

export type System = ReturnType<typeof aSystem>;
