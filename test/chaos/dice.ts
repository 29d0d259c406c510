/** Chance that is the same for the same seed, whoever asks and in whatever order: each throw is named. */
import { createHash } from "node:crypto";

/** Uniform in [0, 1). */
export type Dice = (...what: readonly (string | number)[]) => number;

export const diceOf =
  (seed: number): Dice =>
  (...what) =>
    createHash("sha256")
      .update([seed, ...what].join("|"))
      .digest()
      .readUInt32BE(0) /
    2 ** 32;

export const oneOf = <T>(list: readonly T[], thrown: number): T => {
  const one = list[Math.floor(thrown * list.length)];
  if (one === undefined) throw new RangeError("nothing to choose from");
  return one;
};
