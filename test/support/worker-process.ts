/** A worker process of its own, on the test server: what tests start, stop, freeze and kill. */
import { pino } from "pino";
import { readEnv } from "../../config/env.ts";
import { composeCore } from "../../src/compose.ts";
import { onStop } from "../../src/start/lifecycle.ts";
import { composeWorker } from "../../workers/compose.ts";

const { TEST_ADDRESS = "", TEST_BASE_URL = "", TEST_LOG = "silent", TEST_FAULT_SIGNAL, ...env } = process.env;
if (TEST_FAULT_SIGNAL !== undefined) {
  // At its fault point a process kills itself; here it may stand still instead, and be woken.
  const kill = process.kill.bind(process);
  process.kill = (pid) => kill(pid, TEST_FAULT_SIGNAL);
}
const config = { ...readEnv(env), twilioApiBaseUrl: TEST_BASE_URL === "" ? null : TEST_BASE_URL };
const log = pino({ level: TEST_LOG });
const lifecycle = onStop(log);
const core = composeCore(config, TEST_ADDRESS.startsWith("/") ? { socket: TEST_ADDRESS } : { url: TEST_ADDRESS }, log);
lifecycle.add("core", core.close);
await composeWorker(core, lifecycle, false);
process.stdout.write("ready\n");
