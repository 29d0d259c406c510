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
    without: [{ script: "release", find: "if q.room then q.room = q.room - by end", replace: "" }],
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
      { find: "row.moved_on or row.is_new", replace: "row.is_new" },
      { find: "row.moved_on or row.is_new", replace: "row.moved_on" },
      { find: "if has_rule(q) then", replace: "if false then" },
    ],
  },
];
