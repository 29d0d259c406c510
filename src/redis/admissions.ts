/** Requests that scripts hold to their limits, and what these say of them: lib/limits.lua's words. */
import type { LimitKind } from "../domain/limit-kind.ts";
import type { Instant, Millis } from "../domain/time.ts";
import { list, number } from "./reply.ts";
import type { Reply } from "./script.ts";

export interface AdmitWindow {
  readonly kind: LimitKind;
  readonly length: Millis;
  /** Null: counted, and never full. */
  readonly limit: number | null;
}

export interface AdmitBucket {
  /** The rest of its key's name. */
  readonly name: string;
  /** Counts, and never refuses. */
  readonly shadow: boolean;
  readonly windows: readonly AdmitWindow[];
}

export interface WindowState {
  /** Requests, this one counted in if it was admitted. */
  readonly used: number;
  /** Until something is given back; 0 for a window in which nothing is used. */
  readonly resetIn: Millis;
  readonly isFull: boolean;
  /** Per cent of the limit that this request came to, if nobody came to it before within the window's length. */
  readonly reached: 80 | 100 | null;
}

export interface Admission {
  readonly admitted: boolean;
  readonly at: Instant;
  /** 0 when it is admitted. */
  readonly retryIn: Millis;
  /** Of each bucket, in the order asked, each of its windows. */
  readonly buckets: readonly (readonly WindowState[])[];
}

const FULL = 1;
const CAME_TO_80 = 2;
const CAME_TO_100 = 4;
const USES_ONE_MORE = 8;

export interface AdmitRequest {
  /** `look` charges nothing. */
  readonly mode: "take" | "look";
  readonly buckets: readonly AdmitBucket[];
}

/** Requests by the same buckets, the same list of them: one caller's, for as long as its limits are what they are. */
export interface Group extends AdmitRequest {
  /** Their places among all requests. */
  readonly places: number[];
}

export const groupsOf = (requests: readonly AdmitRequest[]): readonly Group[] => {
  const known = { take: new Map<AdmitRequest["buckets"], Group>(), look: new Map<AdmitRequest["buckets"], Group>() };
  const groups: Group[] = [];
  for (let place = 0; place < requests.length; place++) {
    const { mode, buckets } = requests[place]!;
    const group = known[mode].get(buckets);
    if (group) group.places.push(place);
    else {
      const first = { mode, buckets, places: [place] };
      known[mode].set(buckets, first);
      groups.push(first);
    }
  }
  return groups;
};

const stateOf = (used: number, resetIn: Millis, flags: number): WindowState => ({
  used,
  resetIn,
  isFull: (flags & FULL) !== 0,
  reached: (flags & CAME_TO_100) !== 0 ? 100 : (flags & CAME_TO_80) !== 0 ? 80 : null,
});

/** One after the other, run by run. */
const readGroup = (reply: readonly Reply[], { buckets, places }: Group, into: Admission[]): void => {
  const [now, ...said] = reply.map(number);
  const windows = buckets.reduce((sum, bucket) => sum + bucket.windows.length, 0);
  let told = 0;
  for (let run = windows; run < said.length; run += 2 + 2 * windows) {
    const retryIn = said[run + 1] as Millis;
    for (let each = 0; each < said[run]!; each++) {
      let window = 0;
      const states = buckets.map((bucket) =>
        bucket.windows.map(() => {
          const used = said[run + 2 + 2 * window]!;
          const flags = said[run + 3 + 2 * window]!;
          return stateOf((flags & USES_ONE_MORE) !== 0 ? used + each : used, said[window++] as Millis, flags);
        }),
      );
      into[places[told++]!] = { admitted: retryIn === 0, at: now as Instant, retryIn, buckets: states };
    }
  }
};

/** Of each request in its place, from what is said of each group; nothing of a group of which nothing is said. */
export const admissionsIn = (groups: readonly Group[], said: readonly Reply[]): readonly Admission[] => {
  const admissions: Admission[] = [];
  for (const [at, group] of groups.entries()) readGroup(list(said[at]), group, admissions);
  return admissions;
};

/** The words of a group, after those that are there. */
export const addWords = (words: (string | number)[], { mode, buckets, places }: Group): void => {
  words.push(mode, places.length, buckets.length);
  for (const { name, shadow, windows } of buckets) {
    words.push(name, shadow ? 1 : 0, windows.length);
    for (const { kind, length, limit } of windows) words.push(kind, length, limit ?? 0);
  }
};
