/**
 * How many shapes the objects of a body have: for each that JSON.parse has not met it makes one, field by field, which
 * takes it some forty times as long as to read a field of a shape that it knows. A million fields of ten thousand
 * recipients who all have the same are read in 50 ms; if no two have the same, in 2 s, in which nobody else has a turn.
 */
import { randomInt } from "node:crypto";
import { DEEPEST, endOfString } from "./json-extent.ts";

/**
 * Fields that begin what no object before has begun with: new ones, or the same in another order. As many as take as long
 * as the largest bulk of one shape; ten thousand recipients who name ten variables in any order have two thirds of them.
 */
export const MOST_NEW_FIELDS = 100_000;

/** A power of two: what is looked for is nearly always in the first place. */
const PLACES = 262_144;

/** Nobody else knows them: who did could write a million shapes that are taken for one. */
const SEED = randomInt(2 ** 32);
const FACTOR = 2 * randomInt(2 ** 31) + 1;

const mixed = (hash: number, byte: number): number => {
  const product = Math.imul(hash ^ byte, FACTOR);
  return product ^ (product >>> 15);
};

/** @param json whose depth is bounded (json-extent.ts) */
export const hasTooManyShapes = (json: Buffer, most: number = MOST_NEW_FIELDS): boolean => {
  const seen = new Uint32Array(PLACES);
  /** Of each level that is open: what its object's fields have come to so far. */
  const shapes = new Uint32Array(DEEPEST + 1);
  let depth = 0;
  let found = 0;

  const isNew = (shape: number): boolean => {
    // 0 is an empty place.
    const mark = shape || 1;
    let place = mark & (PLACES - 1);
    while (seen[place] !== 0 && seen[place] !== mark) place = (place + 1) & (PLACES - 1);
    if (seen[place] === mark) return false;
    seen[place] = mark;
    return true;
  };

  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === 0x5b || byte === 0x7b) shapes[++depth] = SEED;
    else if (byte === 0x5d || byte === 0x7d) depth = Math.max(0, depth - 1);
    else if (byte === 0x22) {
      const start = at;
      at = endOfString(json, start);
      let next = at + 1;
      while (json[next] === 0x20 || json[next] === 0x0a || json[next] === 0x0d || json[next] === 0x09) next++;
      // A value, not a name.
      if (json[next] !== 0x3a) continue;
      let shape = shapes[depth]!;
      // With its first quote, which parts it from the name before.
      for (let of = start; of < at; of++) shape = mixed(shape, json[of]!);
      shapes[depth] = shape;
      if (isNew(shapes[depth]!) && ++found > most) return true;
    }
  }
  return false;
};
