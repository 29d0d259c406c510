/**
 * For whoever watches a worker, which listens on no port: a file that it writes to every few seconds while its event
 * loop turns. `node healthy.mjs` looks at it (the Dockerfile's HEALTHCHECK; `livenessProbe.exec` in Kubernetes).
 */
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import { seconds } from "../domain/time.ts";

/** healthy.mjs makes the same name, and calls six missed beats a death. */
export const heartbeatFile = (pid: number): string => join(tmpdir(), `sluice-${pid}.beat`);

const BEAT = seconds(5);

/** @returns what ends it. Never a reason not to run: without the file there is only nothing to look at. */
export const startHeartbeat = (log: Logger): (() => Promise<void>) => {
  const file = heartbeatFile(process.pid);
  try {
    // Others may write in /tmp: a name that they have made into a link to elsewhere is never opened.
    rmSync(file, { force: true });
    const descriptor = openSync(file, "wx", 0o600);
    const beat = () => void writeSync(descriptor, "+", 0);
    beat();
    const beating = setInterval(beat, BEAT).unref();
    return async () => {
      clearInterval(beating);
      closeSync(descriptor);
      rmSync(file, { force: true });
    };
  } catch (error) {
    log.warn({ event: "no_heartbeat", file, err: error }, "no heartbeat file: health checks of this worker will fail");
    return async () => {};
  }
};
