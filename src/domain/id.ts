/**
 * Ids: a prefix, 10 characters of time, 11 of chance, 5 of number, in Crockford's base 32. They sort by creation.
 * Ids are made from a seed before anything is written, so that a request that is repeated makes the same ones.
 */
import { randomUUID } from "node:crypto";
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

/** Digits that are chance in a UUID: Node asks the system for those of many at once, which randomBytes does each time. */
const bits = (digits: string, many: number): number => Number.parseInt(digits, 16) % 2 ** many;

export const newSeed = (at: Instant): IdSeed => {
  const uuid = randomUUID();
  return (base32(at, 10) + base32(bits(uuid.slice(0, 8), 30), 6) + base32(bits(uuid.slice(24), 25), 5)) as IdSeed;
};

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
