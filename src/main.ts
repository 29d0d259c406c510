/** `npm run start:api`: the API process. Any number of them; REDIS_URL is required. */
import { isRunByNpm, processEnvironment, readEnv } from "../config/env.ts";
import { composeCore } from "./compose.ts";
import { tzRelease } from "./domain/time-zone.ts";
import { createLogger } from "./observe/log.ts";
import { serve } from "./serve.ts";
import { refuseArguments } from "./start/command-line.ts";
import { failToStart } from "./start/fail.ts";
import { onStop } from "./start/lifecycle.ts";
import { startRefused } from "./start/refusal.ts";

const start = async (): Promise<void> => {
  refuseArguments();
  const config = readEnv(processEnvironment());
  if (config.redisUrl === null)
    throw startRefused("REDIS_URL: expected the Redis that API and workers share, got nothing");
  if (config.adminKey === null) throw startRefused("SLUICE_ADMIN_KEY: expected the operator's key, got nothing");
  const log = createLogger({ level: config.logLevel });
  const lifecycle = onStop(log, { withParent: isRunByNpm() });
  const core = composeCore(config, { url: config.redisUrl }, log);
  lifecycle.add("core", core.close);
  const origin = await serve(core, lifecycle, config.adminKey, config.sandbox ?? false);
  log.info({ event: "api_started", origin, tz_release: tzRelease() }, "API started");
};

await start().catch(failToStart);
