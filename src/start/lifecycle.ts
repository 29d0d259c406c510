/** Who starts something hands in how to end it: the last started ends first, each with a deadline, all within 25 s. */
import { setTimeout as wait } from "node:timers/promises";
import type { Logger } from "pino";
import { milliseconds, seconds, systemClock, type Millis } from "../domain/time.ts";

export interface Lifecycle {
  add(name: string, close: () => Promise<unknown>, within?: Millis): void;
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

/** How soon it is seen that the parent is gone: well before a person has typed the command again. */
const LOOK: Millis = milliseconds(300);

/**
 * @param withParent stop, too, when the process that started this one is gone. For what npm starts: `kill -9` of npm
 * would leave it holding its port and its data. Not for what a shell starts: that may end, and what it started go on.
 * @returns a lifecycle that SIGTERM and SIGINT stop before the process exits with 0, or with 1 if something did not
 * end in time. A second signal exits with 1 at once: what was in flight is found again by the next start.
 */
export const onStop = (log: Logger, { withParent = false }: { withParent?: boolean } = {}): Lifecycle => {
  const parts: { name: string; close: () => Promise<unknown>; within: Millis }[] = [];
  let stopping: Promise<void> | undefined;
  let clean = true;

  const closePart = async (part: (typeof parts)[number], leftMs: number): Promise<void> => {
    const { name, within } = part;
    const inTime = new AbortController();
    const late = wait(Math.min(within, leftMs), "late", { signal: inTime.signal });
    try {
      if ((await Promise.race([part.close(), late])) === "late") throw new Error("it did not end in time");
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
      await closePart(part, Math.max(0, ALL_IN - (systemClock.monotonic() - startedAt)));
    }
  };
  const stop = (): Promise<void> => (stopping ??= stopAll());

  const end = (signal: string): void => {
    log.info(
      { event: "stopping", signal },
      "stopping: attempts in flight are finished first (once more to end at once)",
    );
    // A connection that is closed under a library, with nobody left to hear of it, must not take with it what is in flight.
    process.on("unhandledRejection", (why) =>
      log.error(
        { event: "rejected_while_stopping", err: why },
        "something failed while stopping, and nobody looked at it",
      ),
    );
    void stop().then(() => process.exit(clean ? 0 : 1));
  };
  let signalledAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = systemClock.monotonic();
    if (signalledAt === undefined) end(signal);
    else if (now - signalledAt > ECHO) process.exit(1);
    signalledAt ??= now;
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  // A terminal that is closed.
  process.on("SIGHUP", onSignal);
  if (withParent) {
    const parent = process.ppid;
    const looking = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(looking);
      end("parent gone");
    }, LOOK).unref();
  }

  return {
    add: (name, close, within = ALL_IN) => void parts.push({ name, close, within }),
    stop,
  };
};
