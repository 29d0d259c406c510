/** Long work on one request goes in stretches: other requests are answered in between. */
import { setImmediate as othersGo } from "node:timers/promises";
import { milliseconds, systemClock } from "../../domain/time.ts";

/** By time, for a message may be of 50 bytes or 256 KB. */
const STRETCH = milliseconds(10);

export interface Stretches {
  /** Whether this one has lasted long enough. */
  isOver(): boolean;
  rest(): Promise<void>;
}

export const stretches = (): Stretches => {
  let since = systemClock.monotonic();
  return {
    isOver: () => systemClock.monotonic() - since > STRETCH,
    rest: async () => {
      await othersGo();
      since = systemClock.monotonic();
    },
  };
};
