/** From `npm start` to ready, everything installed: a person who types it should not begin to wonder. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { processEnvironment } from "../../config/env.ts";
import { freePort } from "../free-port.ts";
import type { Group } from "../row.ts";
import { until } from "../until.ts";

const ROUNDS = { quick: 2, long: 5 } as const;
const NAME = "start-to-ready";
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const startOnce = async (): Promise<number> => {
  const dataDir = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  const port = await freePort();
  const { PATH, HOME, XDG_CACHE_HOME } = processEnvironment();
  const startedAt = performance.now();
  const program = spawn("npm", ["run", "--silent", "start"], {
    cwd: ROOT,
    stdio: "ignore",
    env: { PATH, HOME, XDG_CACHE_HOME, PORT: String(port), SLUICE_DATA_DIR: dataDir, LOG_LEVEL: "silent" },
  });
  const gone = once(program, "exit");
  try {
    await until("a Sluice that is ready", async () => {
      if (program.exitCode !== null) throw new Error(`npm start ended with ${program.exitCode}`);
      return fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    });
    return (performance.now() - startedAt) / 1_000;
  } finally {
    program.kill("SIGTERM");
    await gone;
    rmSync(dataDir, { recursive: true, force: true });
  }
};

export const start: Group = {
  names: () => [NAME],
  run: async (bench) => {
    const values: number[] = [];
    for (let round = 0; round < ROUNDS[bench.form]; round++) values.push(await startOnce());
    bench.tell({
      kind: "measured",
      name: NAME,
      values,
      unit: "s",
      must: { atMost: 3 },
      note: "`npm start` with a new data directory, until GET /readyz answers 200",
    });
  },
};
