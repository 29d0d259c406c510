/**
 * When the reaper may act. `sending` past its time means that its worker died, if Redis was there to be told otherwise.
 * After an outage every live worker comes back with outcomes that are overdue: the reaper lets them speak first.
 * (Without: a Redis that was frozen for 90 s, or full, made mails go twice and texts uncertain, with every worker alive.)
 */
import { seconds, type Clock, type MonotonicMillis } from "../domain/time.ts";

/** A worker repeats what was not answered every 2 s at most (workers/insist.ts), and its connection is back in half a second. */
const WORKERS_FIRST = seconds(5);

export interface Reaping {
  /** Redis did not answer, or refused. */
  trouble(): void;
  /** One pass, when it is time for one. */
  run(): Promise<void>;
}

/**
 * @param reap reaps at most so many, and answers whether there are more. `reap(0)` reaps nothing: it finds out whether Redis takes
 * what a reaper writes.
 */
export const reapingWith = (reap: (atMost: number) => Promise<{ more: boolean }>, clock: Clock): Reaping => {
  /** Since when Redis has been taking writes without trouble; null: it is not known to. A process that has just begun may
   *  have been begun because of the trouble. */
  let wellSince: MonotonicMillis | null = null;
  return {
    trouble: () => {
      wellSince = null;
    },
    run: async () => {
      try {
        if (wellSince === null) {
          await reap(0);
          wellSince = clock.monotonic();
        }
        if (clock.monotonic() - wellSince < WORKERS_FIRST) return;
        while ((await reap(100)).more);
      } catch (error) {
        wellSince = null;
        throw error;
      }
    },
  };
};
