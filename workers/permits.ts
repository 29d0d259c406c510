/**
 * So many at a time, in this process and on one channel, however many messages its jobs carry: the hands, and the messages
 * that are open (dispatch.ts). A job of many messages lasts as long as its slowest; with hands counted apart from jobs, it
 * holds up nobody.
 */
export interface Permit {
  /** Once, however often it is called: what ends early gives it early, and what fails gives it in the end. */
  give(): void;
}

export interface Permits {
  /** In the order of asking; null when it was called off before there was one. */
  take(): Promise<Permit | null>;
}

/** @param calledOff nobody waits any longer; listened to once, for those who wait are hundreds, and come and go */
export const permitsOf = (count: number, calledOff: AbortSignal): Permits => {
  let free = count;
  const waiting = new Set<(permit: Permit | null) => void>();
  const permit = (): Permit => {
    let isTaken = true;
    return {
      give: () => {
        if (!isTaken) return;
        isTaken = false;
        const [next] = waiting;
        if (next) {
          waiting.delete(next);
          next(permit());
        } else free++;
      },
    };
  };
  calledOff.addEventListener(
    "abort",
    () => {
      for (const settle of waiting) settle(null);
      waiting.clear();
    },
    { once: true },
  );
  return {
    take: async () => {
      if (calledOff.aborted) return null;
      if (free > 0) {
        free--;
        return permit();
      }
      return new Promise((resolve) => waiting.add(resolve));
    },
  };
};
