/**
 * Is the Sluice process of this container well? Exit code 0 or 1, for a health check.
 *
 *     node healthy.mjs <address of the API's /healthz> [process id, 1 when absent]
 *
 * A worker says so by its heartbeat file, an API by its answer: the same image and the same check serve both.
 */
import { statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Six beats of heartbeat.ts. */
const LONGEST_SILENCE_MS = 30_000;

const [address = "http://127.0.0.1:3000/healthz", pid = "1"] = process.argv.slice(2);

const lastBeatAt = () => {
  try {
    return statSync(join(tmpdir(), `sluice-${pid}.beat`)).mtimeMs;
  } catch {
    return undefined;
  }
};

const answers = async () => {
  try {
    return (await fetch(address, { signal: AbortSignal.timeout(3_000) })).ok;
  } catch {
    return false;
  }
};

const beatAt = lastBeatAt();
// This process has only just begun, so its beginning is now.
const isWell = beatAt === undefined ? await answers() : performance.timeOrigin - beatAt < LONGEST_SILENCE_MS;
process.exitCode = isWell ? 0 : 1;
