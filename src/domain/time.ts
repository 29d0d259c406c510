/** Instants and lengths of time, and the only place where the process's clocks are read. */

/** A point in time. */
export type Instant = number & { readonly unit: "ms since epoch" };

/** A length of time. */
export type Millis = number & { readonly unit: "ms" };

/** A reading of a monotonic clock: good for differences within one process, for nothing else. */
export type MonotonicMillis = number & { readonly unit: "ms since some moment of this process" };

export const instant = (msSinceEpoch: number): Instant => msSinceEpoch as Instant;
export const milliseconds = (n: number): Millis => n as Millis;
export const seconds = (n: number): Millis => (n * 1_000) as Millis;
export const minutes = (n: number): Millis => (n * 60_000) as Millis;
export const hours = (n: number): Millis => (n * 3_600_000) as Millis;
/** Days of 24 hours, for retention and the like; a calendar's day is a window (window.ts). */
export const days = (n: number): Millis => (n * 86_400_000) as Millis;

/** Handed to whatever needs to know the time, so that a test can move it. */
export interface Clock {
  /** This machine's wall clock. It decides nothing about quotas: Redis's clock does. */
  now(): Instant;
  monotonic(): MonotonicMillis;
}

export const systemClock: Clock = {
  now: () => Date.now() as Instant,
  monotonic: () => performance.now() as MonotonicMillis,
};
