// One process of the product as compiled by build.ts: an API or a worker.
const { CHAOS_BUILD = "", CHAOS_PROGRAM, CHAOS_REDIS = "", ...env } = process.env;
const load = (path) => import(new URL(path, CHAOS_BUILD).href);
const [{ readEnv }, { composeCore }, { onStop }, { createLogger }] = await Promise.all(
  ["config/env.js", "src/compose.js", "src/start/lifecycle.js", "src/observe/log.js"].map(load),
);
// A run that dies leaves nothing behind.
process.on("disconnect", () => process.exit(1));
const config = readEnv(env);
const log = createLogger({ level: config.logLevel });
const lifecycle = onStop(log);
const core = composeCore(config, { url: CHAOS_REDIS }, log);
lifecycle.add("core", core.close);
if (CHAOS_PROGRAM === "api") {
  const { serve } = await load("src/serve.js");
  process.send(await serve(core, lifecycle, config.adminKey, false));
} else {
  const { composeWorker } = await load("workers/compose.js");
  await composeWorker(core, lifecycle, false);
  process.send("ready");
}
