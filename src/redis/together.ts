/**
 * Calls of one script, made as few: what is asked for while another is under way goes out together, in the order in which
 * it was asked for. Alone, nothing waits: the call leaves in the same turn of the event loop.
 */

import { milliseconds, systemClock, type Millis } from "../domain/time.ts";
import { isScriptsMistake } from "./script.ts";

/**
 * While a call is under way others gather for the next: the fewer calls, the less each request costs here and in Redis. (With
 * two under way 50 connections made a tenth fewer requests a second.)
 */
const UNDER_WAY = 1;
/** A full group has nothing to gather for: Redis works on it while this process hears of the one before. */
const FULL_UNDER_WAY = 2;
/** One that takes longer waits for something else than Redis's time, a disk or a replica: nobody need wait for it, too. */
const SLOW = milliseconds(100);
const MOST_UNDER_WAY = 4;

interface Asked<Item, Result> {
  readonly item: Item;
  /** When its call is to leave, by the process's own clock. */
  readonly by: number;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * @param call answers for each item, in order
 * @param atMost items in one call: a call that fails fails all of them, and none may hold Redis for long. Where it was the
 * script's own mistake, each is tried alone: one record that it cannot read must not keep its neighbours.
 * @param failing `all`: a call that fails fails those as well that wait for their turn. For callers who are to hear within
 * seconds that Redis is away: one call after the other would find it out, and the last in the line wait for each of them.
 * @returns asks for one. `patience`: how long it may wait for others to come, where a call costs less for each of many; the
 * first of a group says it for all.
 */
export const together = <Item, Result>(
  call: (items: readonly Item[]) => Promise<readonly Result[]>,
  atMost: number,
  failing: "group" | "all" = "group",
): ((item: Item, patience?: Millis) => Promise<Result>) => {
  const waiting: Asked<Item, Result>[] = [];
  let underWay = 0;
  let slow = 0;
  let planned = false;
  /** Set while what is planned is to wait for others. */
  let patient: NodeJS.Timeout | undefined;

  const make = async (group: readonly Asked<Item, Result>[]): Promise<void> => {
    underWay++;
    let isSlow = false;
    const overdue = setTimeout(() => {
      isSlow = true;
      slow++;
      plan();
    }, SLOW);
    try {
      const results = await call(group.map(({ item }) => item));
      group.forEach((asked, at) => {
        if (at < results.length) asked.resolve(results[at] as Result);
        else asked.reject(new RangeError(`expected ${group.length} answers, got ${results.length}`));
      });
    } catch (error) {
      if (group.length > 1 && isScriptsMistake(error)) await Promise.all(group.map((asked) => make([asked])));
      else for (const asked of failing === "all" ? [...group, ...waiting.splice(0)] : group) asked.reject(error);
    } finally {
      clearTimeout(overdue);
      if (isSlow) slow--;
      underWay--;
      plan();
    }
  };
  const mayGo = (): boolean =>
    waiting.length > 0 &&
    underWay < MOST_UNDER_WAY &&
    underWay - slow < (waiting.length >= atMost ? FULL_UNDER_WAY : UNDER_WAY);
  const flush = (): void => {
    planned = false;
    patient = undefined;
    while (mayGo()) void make(waiting.splice(0, atMost));
  };
  const plan = (): void => {
    const [first] = waiting;
    if (planned || first === undefined || !mayGo()) return;
    planned = true;
    const early = waiting.length < atMost ? first.by - systemClock.monotonic() : 0;
    if (early > 0) patient = setTimeout(flush, early);
    else setImmediate(flush);
  };
  const makeFull = (): void => {
    if (patient !== undefined) {
      clearTimeout(patient);
      patient = undefined;
      planned = false;
    }
    void make(waiting.splice(0, atMost));
  };

  return (item, patience) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, by: patience === undefined ? 0 : systemClock.monotonic() + patience, resolve, reject });
      if (waiting.length >= atMost && mayGo()) makeFull();
      else plan();
    });
};
