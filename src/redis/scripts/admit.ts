import type { Instant, Millis } from "../../domain/time.ts";
import { list, number } from "../reply.ts";
import { loadScript, type Reply, type ScriptRunner } from "../script.ts";

const script = loadScript(import.meta.url);

export interface AdmitWindow {
  readonly kind: "rolling" | "fixed" | "clock";
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
const HEAD = 3;
const FIELDS = 3;

export interface AdmitRequest {
  /** `look` charges nothing. */
  readonly mode: "take" | "look";
  readonly buckets: readonly AdmitBucket[];
}

const admissionOf = (reply: readonly Reply[], buckets: readonly AdmitBucket[]): Admission => {
  let at = HEAD;
  const windowState = (): WindowState => {
    const flags = number(reply[at + 2]);
    const state: WindowState = {
      used: number(reply[at]),
      resetIn: number(reply[at + 1]) as Millis,
      isFull: (flags & FULL) !== 0,
      reached: (flags & CAME_TO_100) !== 0 ? 100 : (flags & CAME_TO_80) !== 0 ? 80 : null,
    };
    at += FIELDS;
    return state;
  };
  return {
    admitted: number(reply[0]) === 1,
    at: number(reply[1]) as Instant,
    retryIn: number(reply[2]) as Millis,
    buckets: buckets.map(({ windows }) => windows.map(windowState)),
  };
};

/** Each as if it had come alone, in their order. */
export const admitEach = async (
  scripts: ScriptRunner,
  requests: readonly AdmitRequest[],
): Promise<readonly Admission[]> => {
  const args: (string | number)[] = [];
  for (const { mode, buckets } of requests) {
    args.push(mode, buckets.length);
    for (const { name, shadow, windows } of buckets) {
      args.push(name, shadow ? 1 : 0, windows.length);
      for (const { kind, length, limit } of windows) args.push(kind, length, limit ?? 0);
    }
  }
  const replies = list(await scripts.run(script, args));
  return requests.map(({ buckets }, at) => admissionOf(list(replies[at]), buckets));
};

/** @param mode `look` charges nothing */
export const admit = async (
  scripts: ScriptRunner,
  mode: "take" | "look",
  buckets: readonly AdmitBucket[],
): Promise<Admission> => {
  const [admission] = await admitEach(scripts, [{ mode, buckets }]);
  if (admission === undefined) throw new TypeError("admit did not answer for its one request");
  return admission;
};
