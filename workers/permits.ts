/**
 * The hands of a channel in this process: so many attempts are in flight, however many messages its jobs carry. A job of
 * many messages lasts as long as its slowest; with the hands counted apart from the jobs, it holds up nobody. Nor does a
 * hand wait for Redis: what it has sent may still be open when it takes the next.
 */
export interface Hands {
  /** One of them, in the order of asking, when no more are open than may be; false when it was called off before. */
  take(): Promise<boolean>;
  /** It has nothing in it any more. Once for each that was taken. */
  free(): void;
  /** What was in it is not open any more: it is settled, or was given back. Once for each that was taken, after `free`. */
  close(): void;
}

/** Messages begun and not yet settled, for each hand. More would be in doubt when this process dies, and would gain nothing:
 *  Redis takes their settlements together. */
const OPEN = 2;

/** @param calledOff nobody waits any longer; listened to once, for those who wait are hundreds, and come and go */
export const handsOf = (count: number, calledOff: AbortSignal): Hands => {
  let free = count;
  let room = OPEN * count;
  let waiting: ((isTaken: boolean) => void)[] = [];
  calledOff.addEventListener(
    "abort",
    () => {
      for (const answer of waiting) answer(false);
      waiting = [];
    },
    { once: true },
  );
  const serve = (): void => {
    while (free > 0 && room > 0) {
      const next = waiting.shift();
      if (!next) return;
      free--;
      room--;
      next(true);
    }
  };
  return {
    take: async () => {
      if (calledOff.aborted) return false;
      return new Promise((resolve) => {
        waiting.push(resolve);
        serve();
      });
    },
    free: () => {
      free++;
      serve();
    },
    close: () => {
      room++;
      serve();
    },
  };
};
