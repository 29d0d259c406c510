/** A background loop: runs when woken and when its own sleep is over, never beside itself, and survives its errors. */
import type { Logger } from "pino";
import { milliseconds, seconds, type Millis } from "../domain/time.ts";

export interface Loop {
  /** Run soon: now if it sleeps, once more if it is running. */
  wake(): void;
  /** No further run; resolves when the one under way has ended. */
  stop(): Promise<void>;
}

/** After an error: Redis away, most likely. Short enough to resume by itself at once, and doubled each time: a Redis that is
 *  full for an hour must not be asked by everybody twice a second. */
const AFTER_ERROR = milliseconds(500);
const LONGEST_AFTER_ERROR = seconds(2);

/** @param body answers how long to sleep; null: until woken */
export const loop = (name: string, log: Logger, body: () => Promise<Millis | null>): Loop => {
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> | null = null;
  let again = false;
  let stopped = false;
  let failures = 0;

  const run = async (): Promise<void> => {
    let sleep: Millis | null;
    try {
      sleep = await body();
      if (failures > 0) log.info({ event: "loop_resumed", loop: name }, "resumed");
      failures = 0;
    } catch (error) {
      if (failures === 0) log.warn({ event: "loop_failed", loop: name, err: error }, "failed; it goes on trying");
      sleep = milliseconds(Math.min(AFTER_ERROR * 2 ** Math.min(failures, 10), LONGEST_AFTER_ERROR));
      failures++;
    }
    running = null;
    if (stopped) return;
    if (again && failures === 0) start();
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
      else if (failures === 0) start();
    },
    stop: async () => {
      stopped = true;
      if (timer) clearTimeout(timer);
      await running;
    },
  };
};
