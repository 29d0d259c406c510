/**
 * The hands of a channel in this process: so many attempts are in flight, however many messages its jobs carry. A job of
 * many messages lasts as long as its slowest; with the hands counted apart from the jobs, it holds up nobody.
 */
export interface Permits {
  /** In the order of asking; false when it was called off before there was one. */
  take(): Promise<boolean>;
  give(): void;
}

/** @param calledOff nobody waits any longer; listened to once, for those who wait are hundreds, and come and go */
export const permitsOf = (count: number, calledOff: AbortSignal): Permits => {
  let free = count;
  const waiting = new Set<(taken: boolean) => void>();
  calledOff.addEventListener(
    "abort",
    () => {
      for (const settle of waiting) settle(false);
      waiting.clear();
    },
    { once: true },
  );
  return {
    take: async () => {
      if (calledOff.aborted) return false;
      if (free > 0) {
        free--;
        return true;
      }
      return new Promise((resolve) => waiting.add(resolve));
    },
    give: () => {
      const [next] = waiting;
      if (next) {
        waiting.delete(next);
        next(true);
      } else free++;
    },
  };
};
