/** The rows of quotas within one call and over many: worked out once, kept right, and gone when nobody uses them. */
import { expect } from "@jest/globals";
import { DAY } from "../../support/gate-stage.ts";
import type { Rule } from "./rule.ts";

const SENDER = "q:S|a|email|s0@x.org";

export const ROWS: readonly Rule[] = [
  {
    of: "3",
    name: "what a call lets go leaves less room for the rest of that call",
    check: async (stage) => {
      await stage.account("a");
      await stage.limit("A|a", { hour: 5 });
      await stage.put("a", 8);
      expect(await stage.released()).toHaveLength(5);
    },
    without: [{ script: "release", find: "if q.room then q.room = q.room - chain.held end", replace: "" }],
  },
  {
    of: "rows",
    name: "messages of many accounts go in smaller calls than those of one, and the call says that there is more",
    stage: { hands: 100 },
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 50);
      expect((await stage.release()).released).toBe(50);
      for (let n = 0; n < 50; n++) {
        await stage.account(`b${n}`);
        await stage.put(`b${n}`, 1);
      }
      const first = await stage.release();
      expect(first.more).toBe(true);
      expect(first.released).toBeLessThan(50);
      expect(first.released + (await stage.release()).released).toBe(50);
    },
    without: [{ script: "release", find: "or work >= MOST_WORK then", replace: "then" }],
  },
  {
    of: "rows",
    name: "a sender's row goes 40 days after it was last used, and not before; with a limit of its own it stays",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 1);
      const pairs = await stage.released();
      expect(await stage.daysLeft(SENDER)).toBe(40);
      await stage.expireIn(SENDER, DAY);
      await stage.begin(pairs);
      await stage.settle(pairs, "sent");
      expect(await stage.daysLeft(SENDER)).toBe(40);
      await stage.expireIn(SENDER, DAY);
      await stage.at(DAY);
      await stage.put("a", 1);
      await stage.drain();
      expect(await stage.daysLeft(SENDER)).toBe(40);
      await stage.limit("S|a|email|s0@x.org", { day: 5 });
      await stage.put("a", 1);
      await stage.drain();
      expect(await stage.daysLeft(SENDER)).toBe(null);
    },
    without: [
      { find: "if row.after_write then", replace: "if false then" },
      { find: "if not has_rule(q) then", replace: "if true then" },
    ],
  },
];
