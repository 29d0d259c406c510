/** Slowing down before the wall: what remains of a limit is spread over the time until there is more. */
import { milliseconds, type Millis, minutes } from "./time.ts";
import type { ToldLimits } from "./told-limits.ts";

/** Under a fifth. MigoSMTP and Telnxo ask for it in so many words; above it a caller goes as fast as it likes. */
const LOW = 0.2;

/** Monogoto tells no reset. All six systems count by the minute at least. */
const ASSUMED = minutes(1);

/**
 * How long to leave between requests. With r left and T to go, r requests at T/(r+1) apart: the last one keeps a distance
 * from the reset too, and nothing left means waiting for it. Spread anew after each answer it is the same distance
 * (T·r/(r+1) to go, r−1 left), so it does not matter which answer it was learnt from.
 */
export const easeFor = ({ limit, remaining, resetIn = ASSUMED }: ToldLimits): Millis =>
  limit === undefined || remaining === undefined || remaining >= limit * LOW
    ? milliseconds(0)
    : milliseconds(Math.ceil(resetIn / (remaining + 1)));
