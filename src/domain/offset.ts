/** How far a zone's wall clock is ahead of UTC, and the stretches of time over which that does not change. */
import { IANAZone } from "luxon";
import type { Instant } from "./time.ts";

/** A stretch of time, [from, until), over which the zone's offset is the same. */
export interface Stretch {
  readonly from: number;
  readonly until: number;
  /** Milliseconds that the wall clock is ahead of UTC. */
  readonly offset: number;
}

/**
 * Time is looked at in blocks of 2³¹ ms (24.9 days), sampled every 18.6 h and bisected where two samples differ.
 * That finds every change: since 1970 no two changes of one zone lie closer than 6.96 days (Recife, October 2000; read
 * off the tz database's own tables). Two that cancelled out between samples would be missed.
 */
const BLOCK = 2 ** 31;
const SAMPLES = 32;

/**
 * What was found is remembered: asking ICU costs microseconds, and a zone row needs hundreds of answers. It is a
 * memo of constants, so sharing it through the module is safe; it is emptied when full because callers choose `at`.
 */
const REMEMBERED_BLOCKS = 8_192;
const remembered = new Map<string, readonly Stretch[]>();

const askOffset = (zone: string, at: number): number => {
  const offset = Math.round(IANAZone.create(zone).offset(at) * 60_000);
  if (Number.isNaN(offset)) throw new RangeError(`expected an instant and a time zone, got ${at} in "${zone}"`);
  return offset;
};

/** The first instant in (low, high] with another offset than `low` has: there is one, and only one change. */
const changeBetween = (zone: string, low: number, high: number, offset: number): number => {
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (askOffset(zone, middle) === offset) low = middle;
    else high = middle;
  }
  return high;
};

const exploreBlock = (zone: string, block: number): readonly Stretch[] => {
  const end = (block + 1) * BLOCK;
  const stretches: Stretch[] = [];
  let from = block * BLOCK;
  let offset = askOffset(zone, from);
  for (let sample = 1; sample <= SAMPLES; sample++) {
    const previous = block * BLOCK + (sample - 1) * (BLOCK / SAMPLES);
    const next = previous + BLOCK / SAMPLES;
    const nextOffset = askOffset(zone, next);
    if (nextOffset === offset) continue;
    const change = changeBetween(zone, previous, next, offset);
    // A change exactly at the block's end belongs to the next block.
    if (change === end) break;
    stretches.push({ from, until: change, offset });
    from = change;
    offset = nextOffset;
  }
  stretches.push({ from, until: end, offset });
  return stretches;
};

/**
 * The stretch that holds `at`. It is cut at the edges of blocks, so its neighbour may have the same offset.
 * A zone unknown to the runtime, and a time no calendar holds, throw a RangeError: check both where they come in.
 */
export const stretchAt = (at: number, zone: string): Stretch => {
  const block = Math.floor(at / BLOCK);
  const key = `${zone} ${block}`;
  let stretches = remembered.get(key);
  if (!stretches) {
    if (!IANAZone.isValidZone(zone))
      throw new RangeError(`expected a time zone that this runtime knows, got "${zone}"`);
    stretches = exploreBlock(zone, block);
    if (remembered.size >= REMEMBERED_BLOCKS) remembered.clear();
    remembered.set(key, stretches);
  }
  const found = stretches.find((stretch) => at < stretch.until);
  if (!found) throw new RangeError(`expected an instant, got ${at}`);
  return found;
};

/** Milliseconds that the zone's wall clock is ahead of UTC. */
export const offsetAt = (at: Instant, zone: string): number => stretchAt(at, zone).offset;
