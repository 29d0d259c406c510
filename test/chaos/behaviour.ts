/** What the providers do about a message, by dice: each attempt is thrown for anew. */
import type { Channel } from "../../src/domain/channel.ts";
import type { Dice } from "./dice.ts";

/**
 * `fine`: taken and said so. `lost`, `stall`, `malformed`, `500 taken`: taken, and not said so. `dropped`, `500`: not taken,
 * and not said so. The rest refuse.
 */
export type Behaviour =
  | "fine"
  | "lost"
  | "stall"
  | "dropped"
  | "malformed"
  | "500 taken"
  | "500"
  | "421"
  | "450"
  | "451"
  | "550"
  | "429"
  | "400";

/** Shares of a thousand; the rest is fine. */
type Shares = readonly (readonly [behaviour: Behaviour, perMille: number])[];

const MAIL: Shares = [
  ["lost", 10],
  ["dropped", 10],
  ["421", 5],
  ["450", 5],
  ["451", 20],
  ["550", 10],
  ["stall", 0.5],
];
const TEXT: Shares = [
  ["lost", 8],
  ["dropped", 8],
  ["malformed", 8],
  ["500 taken", 5],
  ["500", 5],
  ["429", 10],
  ["400", 10],
  ["stall", 0.5],
];

/** @param withStalls a stalled attempt holds up the run's clock for the 20 s that an attempt may take */
export const behaviourOf = (dice: Dice, withStalls: boolean, channel: Channel, marker: string, attempt: number) => {
  let rest = dice("behaviour", marker, attempt) * 1_000;
  for (const [behaviour, perMille] of channel === "email" ? MAIL : TEXT) {
    if (rest < perMille) return behaviour === "stall" && !withStalls ? "fine" : behaviour;
    rest -= perMille;
  }
  return "fine";
};

/** So that kills find something in flight: most answers take a few milliseconds, some half a second. */
export const latencyOf = (dice: Dice, marker: string, attempt: number): number =>
  5 + 500 * dice("latency", marker, attempt) ** 6;
