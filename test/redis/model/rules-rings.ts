/** Rule 8: a lane or an account is looked at again when, and only when, it may have room again. */
import { expect } from "@jest/globals";
import { milliseconds } from "../../../src/domain/time.ts";
import { HOUR, row, type Stage } from "../../support/gate-stage.ts";
import { kinds, only, type Rule } from "./rule.ts";

const LEVELS = ["A|", "C|", "S|"];
/** A row of the level, for an account of its own. */
const scopeAt = (level: string, account: string): string =>
  level + account + { "A|": "", "C|": "|email", "S|": "|email|s0@x.org" }[level];

/** A limit of one at some level, one message under way, another held up by it; then `free` gives the hold back. */
const wakesAfter =
  (
    free: (stage: Stage, pairs: Awaited<ReturnType<Stage["released"]>>) => Promise<unknown>,
    lifetime?: number,
  ): Rule["check"] =>
  async (stage) => {
    for (const [i, level] of LEVELS.entries()) {
      await stage.account(`a${i}`);
      await stage.limit(scopeAt(level, `a${i}`), { hour: 1 });
      await stage.put(`a${i}`, 1, lifetime === undefined ? {} : { expiresAt: stage.now() + lifetime });
      const pairs = await stage.released();
      expect(pairs).toHaveLength(1);
      await stage.put(`a${i}`, 1);
      expect(await stage.released()).toEqual([]);
      await free(stage, pairs);
      expect((await stage.released()).length).toBeGreaterThan(0);
    }
  };

/** The wakes are alike; these are the two halves of each, for a script by its name. */
const withoutWakes = (script: string, find: string): Rule["without"] => [
  { script, find, replace: find.replace(/wake\((.+?)\)/, "wake_sender($1.account, $1.channel, $1.sender)") },
  { script, find, replace: find.replace(/wake\((.+?)\)/, "wake_account($1.account)") },
];

export const RINGS: readonly Rule[] = [
  {
    of: "8",
    name: "an attempt that failed gives its room to the next message at once",
    check: wakesAfter(async (stage, pairs) => {
      await stage.begin(pairs);
      await stage.settle(pairs, "failed");
    }),
    without: withoutWakes("settle", "if action == 'failed' or action == 'later' then wake(m) end"),
  },
  {
    of: "8",
    name: "a message put off gives its room to the next one at once",
    check: wakesAfter(async (stage, pairs) => {
      await stage.begin(pairs);
      await stage.settle(pairs, "later", { delay: milliseconds(60_000) });
    }),
    without: withoutWakes("settle", "if action == 'failed' or action == 'later' then wake(m) end"),
  },
  {
    of: "8",
    name: "a message that a stopping worker gives back can go again at once",
    check: wakesAfter((stage, pairs) => stage.unrelease(pairs)),
    without: withoutWakes("unrelease", "requeue(m, true)\n    wake(m)"),
  },
  {
    of: "8",
    name: "a released message that is canceled gives its room to the next one at once",
    check: wakesAfter((stage, pairs) => stage.cancel(only(pairs).id)),
    without: withoutWakes("cancel", "if state == 'released' then wake(m) end"),
  },
  {
    of: "8",
    name: "a released message that expires gives its room to the next one at once",
    check: wakesAfter(async (stage) => {
      await stage.at(stage.now() + 1_000);
      await stage.expire();
    }, 1_000),
    without: withoutWakes("expire", "if state == 'released' then wake(m) end"),
  },
  {
    of: "8",
    name: "a message that begin finds expired gives its room to the next one at once",
    check: wakesAfter(async (stage, pairs) => {
      await stage.at(stage.now() + 1_000);
      await stage.begin(pairs);
    }, 1_000),
    without: withoutWakes("begin", "end_message(m, state, now, reason)\n  wake(m)"),
  },
  {
    of: "8",
    name: "a message that begin returns, because its sender is too slow, gives its room to another sender at once",
    check: async (stage) => {
      for (const [i, level] of ["A|", "C|"].entries()) {
        const account = `a${i}`;
        await stage.account(account);
        await stage.limit(scopeAt(level, account), { hour: 1 });
        await stage.put(account, 1);
        const pairs = await stage.released();
        await stage.put(account, 1, { sender: "other@x.org" });
        expect(await stage.released()).toEqual([]);
        await stage.senderRate(account, 1_800_000);
        await stage.change(`q:S|${account}|email|s0@x.org`, { last: await stage.clock() });
        expect(kinds(await stage.begin(pairs))).toEqual(["returned"]);
        expect(await stage.drain()).toHaveLength(1);
      }
    },
    without: [{ script: "begin", find: "requeue(m, true)\n    wake(m)", replace: "requeue(m, true)" }],
  },
  ...LEVELS.map((level) => scopeAt(level, "a")).map((scope): Rule => ({
    of: "8",
    name: `a limit of ${scope} raised or lifted acts at once on what it held up`,
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 9);
      await stage.limit(scope, { day: 2 });
      expect(await stage.drain()).toHaveLength(2);
      await stage.limit(scope, { day: 5 });
      expect(await stage.drain()).toHaveLength(3);
      await stage.limit(scope, { day: null });
      expect(await stage.drain()).toHaveLength(4);
    },
    without: [
      {
        script: "set-limits",
        find: "if level == 'sender' then wake_sender(account, channel, sender) else wake_account(account) end",
        replace: scope.startsWith("S") ? "wake_account(account)" : "wake_sender(account, channel, sender)",
      },
    ],
  })),
  {
    of: "8",
    name: "a pause holds until it is lifted, and then the account goes at once; its other channels never stopped",
    check: async (stage) => {
      await stage.account("a");
      await stage.pause("a", "email", true);
      await stage.put("a", 2);
      await stage.put("a", 1, { channel: "sms" });
      expect(await stage.released()).toEqual([]);
      expect(await stage.released("sms")).toHaveLength(1);
      await stage.at(90 * 24 * HOUR);
      await stage.zoneRow("Z0", row({ hour: [0, 1e12], day: [0, 1e12], month: [0, 1e12] }));
      expect(await stage.released()).toEqual([]);
      await stage.pause("a", "email", false);
      expect(await stage.released()).toHaveLength(2);
    },
    without: [
      { script: "set-pause", find: "if not paused then unpark_account(account, channel) end", replace: "" },
      { script: "release", find: "if ac.f.paused == 1 or known.removed then", replace: "if known.removed then" },
    ],
  },
  {
    of: "8",
    name: "an account that was removed is parked for good",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 2);
      await stage.redis.hset(`${stage.cell}acc:a`, "removed", 1);
      expect(await stage.released()).toEqual([]);
      expect((await stage.tick()).ready).toEqual([]);
    },
    without: [
      { script: "release", find: "if ac.f.paused == 1 or known.removed then", replace: "if ac.f.paused == 1 then" },
    ],
  },
  {
    of: "8",
    name: "what is held up by an hour and a day is looked at again when both have ended, not every hour in between",
    check: async (stage) => {
      await stage.account("a");
      await stage.limit("A|a", { hour: 1, day: 1 });
      await stage.put("a", 2);
      await stage.drain();
      expect(await stage.fields("ac:a:email")).toMatchObject({ held_by: "all.day" });
      await stage.at(HOUR + 1);
      expect((await stage.release()).looked).toBe(0);
      await stage.at(24 * HOUR);
      expect(await stage.drain()).toHaveLength(1);
    },
    without: [{ find: "and till > latest then latest, by", replace: "and latest == 0 then latest, by" }],
  },
  {
    of: "8",
    name: "the account's own limits are asked before its senders': fifty lanes are not parked one by one",
    check: async (stage) => {
      await stage.account("a");
      await stage.limit("A|a", { hour: 0 });
      for (let i = 0; i < 50; i++) await stage.put("a", 1, { sender: `s${i}@x.org` });
      expect((await stage.release()).looked).toBe(1);
    },
    without: [
      {
        script: "release",
        find: "if till > 0 then\n    park_account(account, channel, PARKED_BY_QUOTA, till, by)",
        replace:
          "if till > 0 then\n    local cls, snd = 'low', redis.call('ZRANGE', cell .. 'in:' .. account .. ':' .. channel .. ':low', 0, 0)[1]\n    park_lane(account, channel, cls, snd, till, by)",
      },
    ],
  },
  {
    of: "8",
    name: "a parked lane that fills up further is not looked at; another of its account is",
    check: async (stage) => {
      await stage.account("a");
      await stage.limit("S|a|email|s0@x.org", { hour: 0 });
      await stage.put("a", 3);
      await stage.released();
      await stage.put("a", 3);
      expect((await stage.release()).looked).toBe(0);
      const other = await stage.put("a", 1, { sender: "other@x.org" });
      expect(await stage.drain()).toEqual(other);
    },
    without: [
      {
        script: "accept",
        find: "if ln.f.parked then\n    count_parked(ln, ac, count)\n  elseif live == 0 then",
        replace:
          "if ln.f.parked then\n    redis.call('ZADD', cell .. 'parked', 0, 'L|' .. name)\n  elseif live == 0 then",
      },
    ],
  },
  {
    of: "8",
    name: "while an account is parked, what comes in does not bring it back into the ring",
    check: async (stage) => {
      await stage.account("a");
      await stage.limit("A|a", { hour: 0 });
      await stage.put("a", 1);
      await stage.released();
      await stage.put("a", 1, { sender: "other@x.org" });
      expect((await stage.release()).looked).toBe(0);
    },
    without: [{ script: "accept", find: "if ac.f.parked then return end", replace: "" }],
  },
];
