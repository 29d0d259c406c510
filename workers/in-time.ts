/** Something that is told when its time is up, and given up when it does not answer soon after. */
import type { Millis } from "../src/domain/time.ts";

/** @returns the answer; `instead` where the act fails, or does not answer at all */
export type InTime = <T>(instead: T, act: (over: AbortSignal) => Promise<T>) => Promise<T>;

/** @param grace after the signal, before it is given up */
export const inTimeOf = (length: Millis, grace: Millis): InTime => {
  // Of acts that have answered, and have left nothing on it (providers/deadline.ts): making one costs more than all else here.
  const unused: AbortController[] = [];
  return async (instead, act) => {
    const over = unused.pop() ?? new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<typeof instead>((resolve) => {
      timer = setTimeout(() => {
        timer = setTimeout(resolve, grace, instead);
        over.abort(new DOMException("its time is up", "TimeoutError"));
      }, length);
    });
    try {
      return await Promise.race([act(over.signal), late]);
    } catch {
      return instead;
    } finally {
      // It goes with the answer: a timer that outlived it (AbortSignal.timeout does) would keep the whole message in memory
      // for as long as an attempt may take, and at thousands a second that is hundreds of megabytes.
      clearTimeout(timer);
      if (!over.signal.aborted) unused.push(over);
    }
  };
};
