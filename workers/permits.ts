/**
 * The hands of a channel in this process: so many attempts are in flight, however many messages its jobs carry. A job of
 * many messages lasts as long as its slowest; with the hands counted apart from the jobs, it holds up nobody.
 */
export interface Permits {
  /** In the order of asking; false when it was called off before there was one. */
  take(calledOff: AbortSignal): Promise<boolean>;
  give(): void;
}

export const permitsOf = (count: number): Permits => {
  let free = count;
  const waiting = new Set<(taken: boolean) => void>();
  return {
    take: async (calledOff) => {
      if (calledOff.aborted) return false;
      if (free > 0) {
        free--;
        return true;
      }
      return new Promise((resolve) => {
        const calledOffNow = (): void => settle(false);
        const settle = (taken: boolean): void => {
          waiting.delete(settle);
          calledOff.removeEventListener("abort", calledOffNow);
          resolve(taken);
        };
        waiting.add(settle);
        calledOff.addEventListener("abort", calledOffNow, { once: true });
      });
    },
    give: () => {
      const [next] = waiting;
      if (next) next(true);
      else free++;
    },
  };
};
