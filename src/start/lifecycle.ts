/** Who starts something hands in how to end it: the last started ends first, each with a deadline, all within 25 s. */
import { setTimeout as wait } from "node:timers/promises";
import type { Logger } from "pino";
import { milliseconds, seconds, systemClock, type Millis } from "../domain/time.ts";

export interface Lifecycle {
  add(name: string, close: () => Promise<unknown>, deadlineMs?: Millis): void;
  /** Ends everything, once however often it is called. Never rejects: what does not end is logged and left behind. */
  stop(): Promise<void>;
}

/** Five less than the 30 that Kubernetes and `docker stop -t 30` give before they kill. */
const ALL_IN: Millis = seconds(25);

/**
 * npm passes on the signals it gets, and a Ctrl-C or a kill of the process group reaches npm and us: one press arrives
 * twice, a few milliseconds apart. A second one is meant only if it comes later than this.
 */
const ECHO: Millis = milliseconds(200);

/**
 * @returns a lifecycle that SIGTERM and SIGINT stop before the process exits with 0, or with 1 if something did not
 * end in time. A second signal exits with 1 at once: what was in flight is found again by the next start.
 */
export const onStop = (log: Logger): Lifecycle => {
  const parts: { name: string; close: () => Promise<unknown>; deadlineMs: Millis }[] = [];
  let stopping: Promise<void> | undefined;
  let clean = true;

  const end = async ({ name, close, deadlineMs }: (typeof parts)[number], leftMs: number): Promise<void> => {
    const inTime = new AbortController();
    const late = wait(Math.min(deadlineMs, leftMs), "late", { signal: inTime.signal });
    try {
      if ((await Promise.race([close(), late])) === "late") throw new Error("it did not end in time");
      log.debug({ event: "closed", part: name }, `closed: ${name}`);
    } catch (error) {
      clean = false;
      log.error({ event: "close_failed", part: name, err: error }, `could not close: ${name}`);
    } finally {
      late.catch(() => {});
      inTime.abort();
    }
  };

  const stopAll = async (): Promise<void> => {
    const startedAt = systemClock.monotonic();
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      await end(part, Math.max(0, ALL_IN - (systemClock.monotonic() - startedAt)));
    }
  };
  const stop = (): Promise<void> => (stopping ??= stopAll());

  let signalledAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = systemClock.monotonic();
    if (signalledAt !== undefined) {
      if (now - signalledAt > ECHO) process.exit(1);
      return;
    }
    signalledAt = now;
    log.info(
      { event: "stopping", signal },
      "stopping: attempts in flight are finished first (once more to end at once)",
    );
    void stop().then(() => process.exit(clean ? 0 : 1));
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);

  return {
    add: (name, close, deadlineMs = ALL_IN) => void parts.push({ name, close, deadlineMs }),
    stop,
  };
};
