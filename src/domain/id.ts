/**
 * Ids: a prefix, 10 characters of time, 11 of chance, 5 of number, in Crockford's base 32. They sort by creation.
 * Ids are made from a seed before anything is written, so that a request that is repeated makes the same ones.
 */
import { randomFillSync } from "node:crypto";
import type { Instant } from "./time.ts";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LARGEST_NUMBER = 32 ** 5;

/** 21 characters: the part that the ids of one request share. */
export type IdSeed = string & { readonly unit: "id seed" };

/** Two digits at a time: half the divisions, and half the pieces of text. */
const PAIRS: readonly string[] = Array.from(ALPHABET).flatMap((first) =>
  Array.from(ALPHABET, (second) => first + second),
);

const base32 = (value: number, width: number): string => {
  let text = "";
  let rest = value;
  for (let left = width; left > 1; left -= 2) {
    text = PAIRS[rest % 1_024] + text;
    rest = Math.floor(rest / 1_024);
  }
  return width % 2 === 0 ? text : ALPHABET.charAt(rest % 32) + text;
};

/** Of the system's chance, asked for some at a time: to ask costs as much for one as for all of these. */
const chances = new Uint32Array(512);
let nextChance = chances.length;

const bits = (many: number): number => {
  if (nextChance === chances.length) {
    randomFillSync(chances);
    nextChance = 0;
  }
  return chances[nextChance++]! % 2 ** many;
};

/** Many seeds are of one millisecond. */
let last = { at: Number.NaN, text: "" };

const timeText = (at: Instant): string => {
  if (at !== last.at) last = { at, text: base32(at, 10) };
  return last.text;
};

export const newSeed = (at: Instant): IdSeed => (timeText(at) + base32(bits(30), 6) + base32(bits(25), 5)) as IdSeed;

export type IdPrefix = "msg" | "acc" | "key" | "bat" | "evt" | "fam";

/** The `number`th id of the seed (from 0, below 32⁵). */
export const idOf = (prefix: IdPrefix, seed: IdSeed, number = 0): string => {
  if (number >= LARGEST_NUMBER) throw new RangeError(`expected an id number below ${LARGEST_NUMBER}, got ${number}`);
  return `${prefix}_${seed}${base32(number, 5)}`;
};

export const seedOf = (id: string): IdSeed => id.slice(4, 25) as IdSeed;

/** Which id of its seed it is. */
export const numberOf = (id: string): number =>
  Array.from(id.slice(25)).reduce((number, digit) => number * 32 + ALPHABET.indexOf(digit), 0);

export const isId = (prefix: IdPrefix, text: string): boolean =>
  text.length === 30 && text.startsWith(`${prefix}_`) && /^[0-9A-HJKMNP-TV-Z]{26}$/.test(text.slice(4));
