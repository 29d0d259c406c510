/** `npm start`: API, gate, workers and sandbox in one process, on a private Redis unless REDIS_URL names one. */
import { accessSync, constants, mkdirSync } from "node:fs";
import { resolve } from "node:path";
import type { Logger } from "pino";
import { cacheDirectory, isRunByNpm, processEnvironment, readEnv, type Config } from "../config/env.ts";
import { composeWorker } from "../workers/compose.ts";
import { composeCore } from "./compose.ts";
import { createLogger } from "./observe/log.ts";
import type { RedisAddress } from "./redis/connect.ts";
import { serve } from "./serve.ts";
import { adminKeyIn } from "./start/admin-key.ts";
import { refuseArguments } from "./start/command-line.ts";
import { failToStart } from "./start/fail.ts";
import { onStop, type Lifecycle } from "./start/lifecycle.ts";
import { startPrivateRedis } from "./start/private-redis.ts";
import { findRedis } from "./start/redis-binary.ts";
import { startRefused } from "./start/refusal.ts";
import { welcome } from "./start/welcome.ts";

const redisFor = async (config: Config, dataDir: string, lifecycle: Lifecycle, log: Logger): Promise<RedisAddress> => {
  if (config.redisUrl !== null) return { url: config.redisUrl };
  const env = processEnvironment();
  const binary = await findRedis({ path: env["PATH"] ?? "", cacheDir: cacheDirectory(env), log });
  const redis = await startPrivateRedis({ binary, dataDir, fsync: config.fsync, log });
  lifecycle.add("redis", () => redis.stop());
  return redis.address;
};

const makeDirectory = (dataDir: string): void => {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    accessSync(dataDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw startRefused(`SLUICE_DATA_DIR: expected a directory to write in, got ${dataDir} (${code})`);
  }
};

const start = async (): Promise<void> => {
  refuseArguments();
  const config = readEnv(processEnvironment());
  const log = createLogger({ level: config.logLevel });
  const lifecycle = onStop(log, { withParent: isRunByNpm() });
  const dataDir = resolve(config.dataDir);
  makeDirectory(dataDir);
  const address = await redisFor(config, dataDir, lifecycle, log);
  const { key, isNew } = config.adminKey === null ? await adminKeyIn(dataDir) : { key: config.adminKey, isNew: false };
  const sandboxed = config.sandbox ?? true;
  const core = composeCore(config, address, log);
  lifecycle.add("core", core.close);
  await composeWorker(core, lifecycle, sandboxed);
  const origin = await serve(core, lifecycle, key, sandboxed);
  process.stdout.write(
    welcome({ origin, adminKey: key, isNew, isOwnKey: config.adminKey !== null, dataDir, sandboxed }),
  );
};

await start().catch(failToStart);
