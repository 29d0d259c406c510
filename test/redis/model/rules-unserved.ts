/** The corrections to give-back: what is released on a channel that nobody serves any more. */
import { expect } from "@jest/globals";
import { giveBack } from "../../../src/redis/scripts/give-back.ts";
import type { Rule } from "./rule.ts";

export const UNSERVED: readonly Rule[] = [
  {
    of: "giveBack",
    name: "what nobody is left to take goes back in its order, and holds nothing",
    check: async (stage) => {
      await stage.account("a");
      await stage.limit("A|a", { day: 5 });
      const ids = await stage.put("a", 5);
      await stage.release("email", 2);
      await stage.beat(false);
      expect(await giveBack(stage.scripts, "email", 2)).toBe(5);
      expect(await stage.held("A|a")).toBe(0);
      expect(await stage.redis.zcard(`${stage.cell}released:email`)).toBe(0);
      await stage.beat();
      expect(await stage.drain()).toEqual(ids);
    },
    without: [
      { script: "give-back", find: "for i = #found, 1, -1 do", replace: "for i = 1, #found do" },
      { script: "give-back", find: "  hold(m, -1)\n", replace: "" },
      { script: "give-back", find: "  leave_released(m)\n", replace: "" },
    ],
  },
  {
    of: "giveBack",
    name: "what goes back brings its turn back: who was before others is before them again",
    check: async (stage) => {
      await stage.account("one");
      await stage.account("many");
      const [first] = await stage.put("one", 1);
      await stage.put("many", 10);
      expect((await stage.release("email", 1, { messages: 3 })).released).toBe(3);
      await stage.beat(false);
      expect(await giveBack(stage.scripts, "email")).toBe(3);
      await stage.beat();
      expect((await stage.drain())[0]).toBe(first);
    },
    without: [{ script: "give-back", find: "  put_back(m)\n", replace: "  requeue(m, true)\n  wake(m)\n" }],
  },
  {
    of: "giveBack",
    name: "the order of what goes back is not that of its ids, nor that of places in a lane that has been empty since",
    check: async (stage) => {
      await stage.account("a");
      const ids = await stage.put("a", 20);
      await stage.release("email", 4);
      ids.push(...(await stage.put("a", 8)));
      await stage.release("email", 4);
      await stage.beat(false);
      await giveBack(stage.scripts, "email");
      await stage.beat();
      expect(await stage.drain()).toEqual(ids);
    },
    stage: { hands: 10 },
    without: [
      { script: "give-back", find: "if one.job ~= other.job then return one.job < other.job end", replace: "" },
      { script: "give-back", find: "return one.place < other.place", replace: "return one.m.id < other.m.id" },
    ],
  },
  {
    of: "giveBack",
    name: "what somebody is there to take stays, and after a failover all of it",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 5);
      await stage.released();
      expect(await giveBack(stage.scripts, "email")).toBe(0);
      await stage.beat(false);
      await stage.elsewhere();
      expect(await giveBack(stage.scripts, "email")).toBe(0);
      expect(await stage.held("A|a")).toBe(5);
    },
    without: [
      { script: "give-back", find: "live_workers(channel, now) > 0 or", replace: "" },
      { script: "give-back", find: "or not is_at_home()", replace: "" },
    ],
  },
  {
    of: "giveBack",
    name: "what went back is looked at again, and so is what waited for its room",
    check: async (stage) => {
      await stage.account("a");
      await stage.limit("A|a", { hour: 2 });
      await stage.put("a", 2, { channel: "sms" });
      await stage.released("sms");
      await stage.put("a", 2);
      expect(await stage.released()).toEqual([]);
      await stage.beat(false);
      await giveBack(stage.scripts, "sms");
      await stage.beat();
      expect(await stage.released()).toHaveLength(2);
    },
    without: [{ script: "give-back", find: "  wake(m)\n", replace: "" }],
  },
];
