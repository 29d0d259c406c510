/** Lengths of time as people write them: `7d`, `24h`, `90m`, `30s`. */
import { days, hours, minutes, seconds, type Millis } from "../src/domain/time.ts";

const UNITS: Readonly<Record<string, (n: number) => Millis>> = { s: seconds, m: minutes, h: hours, d: days };

export const parseDuration = (text: string): Millis | undefined => {
  const [, count, unit] = /^([0-9]{1,9})([smhd])$/.exec(text) ?? [];
  return count === undefined || unit === undefined ? undefined : UNITS[unit]?.(Number(count));
};

export const formatDuration = (length: Millis): string => {
  for (const [unit, of] of Object.entries(UNITS).toReversed())
    if (length % of(1) === 0) return `${length / of(1)}${unit}`;
  return `${length}ms`;
};
