/** `npm run start:worker`: a worker process, with its gate. Any number of them; REDIS_URL is required. */
import { isRunByNpm, processEnvironment, readEnv } from "../config/env.ts";
import { composeCore } from "../src/compose.ts";
import { tzRelease } from "../src/domain/time-zone.ts";
import { createLogger } from "../src/observe/log.ts";
import { openWatchPort } from "../src/observe/port.ts";
import { refuseArguments } from "../src/start/command-line.ts";
import { failToStart } from "../src/start/fail.ts";
import { startHeartbeat } from "../src/start/heartbeat.ts";
import { onStop } from "../src/start/lifecycle.ts";
import { notListening } from "../src/start/listening.ts";
import { isStartRefused, startRefused } from "../src/start/refusal.ts";
import { composeWorker } from "./compose.ts";
import { mayLookAt } from "./watching.ts";

const start = async (): Promise<void> => {
  refuseArguments();
  const config = readEnv(processEnvironment());
  if (config.redisUrl === null)
    throw startRefused("REDIS_URL: expected the Redis that API and workers share, got nothing");
  const log = createLogger({ level: config.logLevel });
  const lifecycle = onStop(log, { withParent: isRunByNpm() });
  const core = composeCore(config, { url: config.redisUrl }, log);
  lifecycle.add("core", core.close);
  if (config.workerPort !== null) {
    const { host, workerPort: port, adminKey } = config;
    const closePort = await openWatchPort({ host, port, metrics: core.metrics, mayLook: mayLookAt(adminKey) })
      .catch(notListening(host, "SLUICE_WORKER_PORT", port))
      .catch((error: Error) => {
        if (isStartRefused(error)) throw error;
        throw startRefused(`SLUICE_WORKER_PORT: expected a free port, got ${port} (${error.message})`);
      });
    lifecycle.add("watch port", closePort);
  }
  await composeWorker(core, lifecycle, config.sandbox ?? false);
  lifecycle.add("heartbeat", startHeartbeat(log));
  log.info({ event: "worker_ready", tz_release: tzRelease() }, "ready");
};

await start().catch(failToStart);
