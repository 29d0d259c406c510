/**
 * The hands of a channel in this process: so many attempts are in flight, however many messages its jobs carry. A job of
 * many messages lasts as long as its slowest; with the hands counted apart from the jobs, it holds up nobody. Nor does a
 * hand wait for Redis: what it has sent may still be open when it takes the next.
 */
export interface Hands {
  /** One of them, if there is one now and no more are open than may be; none once it was called off. */
  take(): boolean;
  /** Resolves when there is one to take, or it was called off. For one at a time: who waits is the first in a line. */
  change(): Promise<void>;
  /** It has nothing in it any more. Once for each that was taken. */
  free(): void;
  /** What was in it is not open any more: it is settled, or was given back. Once for each that was taken, after `free`. */
  close(): void;
}

/** Messages begun and not yet settled, for each hand. More would be in doubt when this process dies, and would gain nothing:
 *  Redis takes their settlements together. */
const OPEN = 2;

/** @param calledOff nobody waits any longer */
export const handsOf = (count: number, calledOff: AbortSignal): Hands => {
  let free = count;
  let room = OPEN * count;
  let changed = (): void => {};
  calledOff.addEventListener("abort", () => changed(), { once: true });
  const tell = (): void => {
    if (free > 0 && room > 0) changed();
  };
  return {
    take: () => {
      if (calledOff.aborted || free === 0 || room === 0) return false;
      free--;
      room--;
      return true;
    },
    change: () =>
      new Promise((resolve) => {
        changed = resolve;
      }),
    free: () => {
      free++;
      tell();
    },
    close: () => {
      room++;
      tell();
    },
  };
};
