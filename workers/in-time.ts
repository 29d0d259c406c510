/** Something that is told when its time is up, and given up when it does not answer soon after. */
import type { Millis } from "../src/domain/time.ts";

/**
 * The timer goes with the answer: one that outlived it (AbortSignal.timeout does) would keep the whole message in memory for
 * as long as an attempt may take, and at thousands a second that is hundreds of megabytes.
 * @param grace after the signal, before `instead` is the answer
 */
export const inTime = async <T>(
  length: Millis,
  grace: Millis,
  instead: T,
  act: (over: AbortSignal) => Promise<T>,
): Promise<T> => {
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => {
      timer = setTimeout(resolve, grace, instead);
      over.abort(new DOMException("its time is up", "TimeoutError"));
    }, length);
  });
  try {
    return await Promise.race([act(over.signal), late]);
  } finally {
    clearTimeout(timer);
  }
};
