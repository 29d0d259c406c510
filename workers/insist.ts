/** A call to Redis that must get through: its scripts are idempotent, so it is repeated until it is answered. */
import { milliseconds, minutes, type Clock } from "../src/domain/time.ts";
import { isScriptsMistake } from "../src/redis/script.ts";
import { sleep } from "./sleep.ts";

/** Doubled each time: a restart is over in a second, and a Redis that is full for an hour must not be asked four times a
 *  second by every process. The longest is well under what the reaper waits after trouble (gate/reaping.ts). */
const FIRST_PAUSE = milliseconds(250);
const LONGEST_PAUSE = milliseconds(2_000);
/** Nobody else knows what became of the attempt, and while Redis is away nothing new can begin: there is nothing better to do.
 *  Past it the reaper decides what becomes of the message, as if the worker had died. */
const LONGEST = minutes(15);

/**
 * @param until when it is aborted, one more failure is enough
 * @throws at once what no repeating will mend; the last error when nothing came through for a quarter of an hour
 */
export const insist = async <T>(clock: Clock, call: () => Promise<T>, until?: AbortSignal): Promise<T> => {
  const startedAt = clock.monotonic();
  for (let pause = FIRST_PAUSE; ; pause = milliseconds(Math.min(pause * 2, LONGEST_PAUSE))) {
    try {
      return await call();
    } catch (error) {
      if (isScriptsMistake(error) || until?.aborted || clock.monotonic() - startedAt > LONGEST) throw error;
      await sleep(pause, until);
    }
  }
};
