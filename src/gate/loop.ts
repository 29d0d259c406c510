/** A background loop: runs when woken and when its own sleep is over, never beside itself, and survives its errors. */
import type { Logger } from "pino";
import { milliseconds, type Millis } from "../domain/time.ts";

export interface Loop {
  /** Run soon: now if it sleeps, once more if it is running. */
  wake(): void;
  /** No further run; resolves when the one under way has ended. */
  stop(): Promise<void>;
}

/** After an error: Redis away, most likely. Long enough not to spin, short enough to resume by itself at once. */
const AFTER_ERROR = milliseconds(500);

/** @param body answers how long to sleep; null: until woken */
export const loop = (name: string, log: Logger, body: () => Promise<Millis | null>): Loop => {
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> | null = null;
  let again = false;
  let stopped = false;
  let failing = false;

  const run = async (): Promise<void> => {
    let sleep: Millis | null = AFTER_ERROR;
    try {
      sleep = await body();
      if (failing) log.info({ event: "loop_resumed", loop: name }, "resumed");
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ event: "loop_failed", loop: name, err: error }, "failed; it goes on trying");
      failing = true;
    }
    running = null;
    if (stopped) return;
    if (again && !failing) start();
    else if (sleep !== null) timer = setTimeout(start, sleep);
  };
  const start = (): void => {
    if (timer) clearTimeout(timer);
    timer = null;
    again = false;
    running = run();
  };
  start();
  return {
    wake: () => {
      if (stopped) return;
      if (running) again = true;
      else if (!failing) start();
    },
    stop: async () => {
      stopped = true;
      if (timer) clearTimeout(timer);
      await running;
    },
  };
};
