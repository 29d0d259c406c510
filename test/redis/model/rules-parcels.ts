/** Parcels: several messages in one job where the backlog is deep, without one holding up another. */
import { expect } from "@jest/globals";
import { milliseconds } from "../../../src/domain/time.ts";
import type { Stage } from "../../support/gate-stage.ts";
import type { Rule } from "./rule.ts";

const sizes = async (stage: Stage, most: number, bounds = {}): Promise<number[]> =>
  (await stage.release("email", most, bounds)).jobs.map(({ messages }) => messages.length);

export const PARCELS: readonly Rule[] = [
  {
    of: "parcelFlow",
    name: "a parcel is as large as leaves some for each process: a shallow backlog goes one by one",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 9);
      expect(await sizes(stage, 25)).toEqual(Array(9).fill(1));
      await stage.account("b");
      await stage.put("b", 13);
      await stage.beat(true, "other");
      await stage.beat(true, "third");
      await stage.put("b", 20);
      expect(await sizes(stage, 25)).toEqual([...Array(16).fill(2), 1]);
    },
    without: [
      { script: "release", find: "waiting < most and 1 or", replace: "" },
      { script: "release", find: "math.min(most, math.floor(", replace: "math.max(most, math.floor(" },
      { script: "release", find: "math.max(1, processes))))", replace: "1)))" },
      { script: "release", find: "or #filling > size or", replace: "or" },
    ],
  },
  {
    of: "parcelFlow",
    name: "no parcel holds more than it may, and spare ones wait for the hands that a slow message leaves",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 90);
      expect(await sizes(stage, 2, { messages: 10 })).toEqual([2, 2, 2, 2, 2]);
      expect((await sizes(stage, 2)).reduce((sum, size) => sum + size, 0)).toBe(20);
      expect(await sizes(stage, 2)).toEqual([]);
    },
    without: [
      { script: "release", find: "#filling > size", replace: "false" },
      { script: "release", find: "size > 1 and SPARE or TWICE", replace: "TWICE" },
      { script: "release", find: "size > 1 and SPARE or TWICE", replace: "2 * SPARE" },
    ],
  },
  {
    of: "parcelFlow",
    name: "what is urgent goes alone",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 40);
      await stage.account("b");
      await stage.put("b", 6, { class: "high" });
      // Three of the urgent, one of the others, the rest of the urgent: the parcel that was begun goes on.
      expect((await sizes(stage, 4, { messages: 11 })).toSorted((x, y) => x - y)).toEqual([1, 1, 1, 1, 1, 1, 1, 4]);
    },
    without: [
      { script: "release", find: "or class == 'high' then", replace: "then" },
      { script: "release", find: "if class == 'high' then return job end", replace: "" },
    ],
  },
  {
    of: "parcelFlow",
    name: "a rate that keeps the hands idle makes no parcels: one would only wait in another's hands",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 90);
      await stage.channel("email", { interval: milliseconds(200) });
      expect(await sizes(stage, 25)).toEqual(Array(10).fill(1));
    },
    without: [
      {
        script: "release",
        find: "(stat.f.throttled or 0), ahead / TWICE)",
        replace: "(stat.f.throttled or 0), math.huge)",
      },
    ],
  },
  {
    of: "parcelFlow",
    name: "what waits of an account that is paused makes no parcels of the little that others have",
    check: async (stage) => {
      for (const account of ["a", "b"]) await stage.account(account);
      await stage.put("a", 400);
      await stage.pause("a", "email", true);
      await stage.release("email", 25);
      await stage.put("b", 5);
      expect(await sizes(stage, 25)).toEqual(Array(5).fill(1));
    },
    without: [{ find: "if ac.f.paused == 1 or ac.f.parked == PARKED_FOR_GOOD then", replace: "if false then" }],
  },
  {
    of: "parcelFlow",
    name: "room for few parcels waits for more while the hands have something to do, and no longer",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 400);
      const first = (await stage.release("email", 10)).jobs.flatMap(({ messages }) => messages);
      expect(first).toHaveLength(30);
      const pairs = first.map(([id, release]) => ({ id, release }));
      await stage.begin(pairs.slice(0, 14));
      expect(await sizes(stage, 10)).toEqual([]);
      await stage.begin(pairs.slice(14, 15));
      expect(await sizes(stage, 10)).toEqual([10, 5]);
    },
    without: [
      { script: "release", find: "target / 2) and out >= TWICE * hands then left = 0 end", replace: "0) then end" },
      { script: "release", find: "left < math.min(ROOM * size", replace: "left <= math.min(ROOM * size" },
    ],
  },
];
