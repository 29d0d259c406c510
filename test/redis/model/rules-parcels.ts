/** Parcels: several messages in one job, without one holding up another. */
import { expect } from "@jest/globals";
import type { Rule } from "./rule.ts";

export const PARCELS: readonly Rule[] = [
  {
    of: "parcelFlow",
    name: "parcels are dealt over the idle hands before any gets a second message",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 13);
      const jobs = (await stage.release("email", 25)).jobs.map(({ messages }) => messages.length);
      expect(jobs).toEqual([3, 3, 3, 2, 2]);
      expect((await stage.release("email", 2)).jobs).toEqual([]);
    },
    without: [{ script: "release", find: "if #jobs < workers or parcel <= 1 then", replace: "if #jobs < 1 then" }],
  },
  {
    of: "parcelFlow",
    name: "no parcel holds more than it may",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 40);
      const jobs = (await stage.release("email", 2, { messages: 10 })).jobs.map(({ messages }) => messages.length);
      expect(jobs).toEqual([2, 2, 2, 2, 2]);
      expect((await stage.release("email", 2)).jobs).toEqual([]);
      await stage.beat(true, "other");
      expect((await stage.release("email", 1)).jobs.map(({ messages }) => messages.length)).toEqual(Array(10).fill(1));
    },
    without: [{ script: "release", find: "if #smallest > parcel then", replace: "if true then" }],
  },
];
