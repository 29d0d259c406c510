/** What a window is, said as plainly as can be: it remembers every request, and counts them anew each time. */
import type { AdmitBucket, AdmitWindow } from "../../src/redis/admissions.ts";

interface ModelWindow {
  /** Of the requests that were admitted. */
  readonly times: number[];
}

export interface LimitModel {
  /** Requests that count at `now`. @param slack for a rolling window: how much longer each may count */
  used(bucket: string, window: AdmitWindow, now: number, slack?: number): number;
  charge(bucket: AdmitBucket, now: number): void;
}

export const limitModel = (): LimitModel => {
  const windows = new Map<string, ModelWindow>();
  const of = (bucket: string, { kind, length }: AdmitWindow): ModelWindow => {
    const name = `${bucket} ${kind} ${length}`;
    const known = windows.get(name) ?? { times: [] };
    windows.set(name, known);
    return known;
  };
  const startOf = (times: readonly number[], length: number): number | null =>
    times.reduce<number | null>((start, at) => (start === null || at >= start + length ? at : start), null);
  return {
    used(bucket, window, now, slack = 0) {
      const { times } = of(bucket, window);
      const { kind, length } = window;
      switch (kind) {
        case "rolling":
          return times.filter((at) => at > now - length - slack).length;
        case "fixed": {
          const start = startOf(times, length);
          return start === null || now >= start + length ? 0 : times.filter((at) => at >= start).length;
        }
        case "clock":
          return times.filter((at) => Math.floor(at / length) === Math.floor(now / length)).length;
      }
    },
    charge(bucket, now) {
      for (const window of bucket.windows) of(bucket.name, window).times.push(now);
    },
  };
};
