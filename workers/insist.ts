/** A call to Redis that must get through: its scripts are idempotent, so it is repeated until it is answered. */
import { milliseconds, seconds, type Clock } from "../src/domain/time.ts";
import { sleep } from "./sleep.ts";

const PAUSE = milliseconds(250);
/** Longer than Redis takes to restart and load; past it the reaper decides what becomes of the message. */
const LONGEST = seconds(90);

/** @throws the last error when nothing came through for 90 s */
export const insist = async <T>(clock: Clock, call: () => Promise<T>): Promise<T> => {
  const startedAt = clock.monotonic();
  const never = new AbortController().signal;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (clock.monotonic() - startedAt > LONGEST) throw error;
      await sleep(PAUSE, never);
    }
  }
};
