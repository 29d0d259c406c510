/** Time that moves only when everybody waits for it, and notes how long each wait was. */
import { instant, type Clock, type Millis, type MonotonicMillis } from "../../src/domain/time.ts";

export interface MovedClock extends Clock {
  readonly slept: number[];
  sleep(length: Millis, signal?: AbortSignal): Promise<void>;
  /** Ms since the beginning. */
  elapsed(): number;
}

export const BEGINNING = Date.parse("2026-03-01T10:00:00Z");

/**
 * Whoever sleeps longest is woken last. Time moves once nothing has happened for some turns of the event loop; with real
 * sockets, `turns` must outlast their answers: only a request whose answer never comes may be in flight.
 */
export const movedClock = (turns = 20): MovedClock => {
  let elapsed = 0;
  const slept: number[] = [];
  const sleepers: { at: number; wake: () => void }[] = [];
  let isWatching = false;

  const watch = async (): Promise<void> => {
    isWatching = true;
    while (sleepers.length > 0) {
      for (let turn = 0; turn < turns; turn++) await new Promise((next) => setImmediate(next));
      sleepers.sort((one, other) => one.at - other.at);
      const first = sleepers.shift();
      if (!first) break;
      elapsed = Math.max(elapsed, first.at);
      first.wake();
    }
    isWatching = false;
  };

  return {
    slept,
    now: () => instant(BEGINNING + elapsed),
    monotonic: () => elapsed as MonotonicMillis,
    elapsed: () => elapsed,
    sleep: (length, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        slept.push(length);
        const sleeper = { at: elapsed + length, wake: resolve };
        sleepers.push(sleeper);
        signal?.addEventListener("abort", () => {
          if (sleepers.includes(sleeper)) sleepers.splice(sleepers.indexOf(sleeper), 1);
          reject(signal.reason as Error);
        });
        if (!isWatching) void watch();
      }),
  };
};
