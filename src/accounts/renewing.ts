/** Who runs says so again and again, and is thereby told from one who has died, within seconds. */
import { milliseconds, type Millis } from "../domain/time.ts";

/** @returns what ends it */
export type Repeat = (pause: Millis, what: () => void) => () => void;

export const everySoOften: Repeat = (pause, what) => {
  const timer = setInterval(what, pause);
  // A process that has nothing else to do may end.
  timer.unref();
  return () => clearInterval(timer);
};

export interface Renewing {
  begin(name: string, renew: () => Promise<void>): void;
  end(name: string): void;
}

/** @param atMost what is never ended (a mistake of ours) is not renewed for ever */
export const renewing = (pause: Millis, atMost: Millis, repeat: Repeat): Renewing => {
  const ends = new Map<string, () => void>();
  const end = (name: string): void => {
    ends.get(name)?.();
    ends.delete(name);
  };
  return {
    begin: (name, renew) => {
      end(name);
      let left = Math.floor(atMost / pause);
      const stop = repeat(milliseconds(pause), () => {
        if (left-- <= 0) return end(name);
        // One that is lost is one of two: the next comes in time.
        renew().catch(() => {});
      });
      ends.set(name, stop);
    },
    end,
  };
};
