/** The corrections to begin, settle, unrelease and reap, and rule 14: answers that are repeated, slots, closings. */
import { expect } from "@jest/globals";
import { milliseconds } from "../../../src/domain/time.ts";
import { kinds, only, type Rule } from "./rule.ts";

export const SETTLING: readonly Rule[] = [
  {
    of: "beginStates",
    name: "a message that begin returned is not taken for released when its reply was lost and it is asked again",
    check: async (stage) => {
      await stage.account("a");
      const [id = ""] = await stage.put("a", 1);
      const pairs = await stage.released();
      await stage.limit("A|a", { hour: 0 });
      await stage.begin(pairs);
      expect(kinds(await stage.begin(pairs))).toEqual(["stale"]);
      expect([await stage.state(id), await stage.held("A|a")]).toEqual(["queued", 0]);
    },
    without: [
      {
        script: "begin",
        find: "or (state ~= 'released' and state ~= 'sending') then",
        replace: "or ENDED[state] then",
      },
    ],
  },
  {
    of: "settleState",
    name: "an outcome that is told twice is counted once",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 1);
      const pairs = await stage.released();
      await stage.begin(pairs);
      expect(await stage.settle(pairs, "sent")).toEqual(["ok"]);
      expect(await stage.settle(pairs, "sent")).toEqual(["refused"]);
      expect([await stage.held("A|a"), await stage.used("A|a")]).toEqual([0, 1]);
    },
    without: [{ script: "settle", find: "if x.f.state ~= 'sending' then return 'refused' end", replace: "" }],
  },
  {
    of: "unrelease",
    name: "what is given back twice is given back once",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 1);
      const pairs = await stage.released();
      expect(await stage.unrelease(pairs)).toEqual([true]);
      expect(await stage.unrelease(pairs)).toEqual([false]);
      expect(await stage.held("A|a")).toBe(0);
      expect(await stage.drain()).toHaveLength(1);
    },
    without: [{ script: "unrelease", find: "    return 0\n  end\n  hold", replace: "  end\n  hold" }],
  },
  {
    of: "unrelease",
    name: "only the run that began a message may give it back",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 1);
      const pairs = await stage.released();
      await stage.begin(pairs, "one");
      expect(await stage.unrelease(pairs)).toEqual([false]);
      expect(await stage.unrelease(pairs, "two")).toEqual([false]);
      expect(await stage.unrelease(pairs, "one")).toEqual([true]);
      expect(await stage.unrelease(pairs, "one")).toEqual([false]);
    },
    without: [
      { script: "unrelease", find: "and x.f.token == token", replace: "" },
      { script: "unrelease", find: "token ~= '' and x.f.token == token", replace: "true" },
    ],
  },
  {
    of: "expireAgain",
    name: "what expired while it was being sent, and came back, expires",
    check: async (stage) => {
      await stage.account("a");
      const [id = ""] = await stage.put("a", 1, { expiresAt: 1_000 });
      const pairs = await stage.released();
      await stage.begin(pairs);
      await stage.at(1_100);
      await stage.expire();
      expect((await stage.tick()).expire).toBe(false);
      await stage.settle(pairs, "later");
      expect(await stage.state(id)).toBe("expired");
    },
    without: [
      { script: "settle", find: "if m.expires <= now then", replace: "if false then" },
      { script: "expire", find: "redis.call('ZREM', cell .. 'expiring', id)\n  local m", replace: "local m" },
    ],
  },
  {
    of: "expireAgain",
    name: "what expired while a stopping worker had it, and is given back, expires however long its lane is held up",
    check: async (stage) => {
      await stage.account("a");
      const [id = ""] = await stage.put("a", 1, { expiresAt: 1_000 });
      const pairs = await stage.released();
      await stage.begin(pairs);
      await stage.at(1_100);
      await stage.expire();
      await stage.unrelease(pairs, "T");
      await stage.pause("a", "email", true);
      await stage.expire();
      expect(await stage.state(id)).toBe("expired");
    },
    without: [
      {
        script: "unrelease",
        find: "if m.expires > 0 then redis.call('ZADD', cell .. 'expiring', m.expires, id) end",
        replace: "",
      },
    ],
  },
  {
    of: "reapTries",
    name: "a mail that kills its worker is tried no more often than any other, and then ends uncertain",
    check: async (stage) => {
      await stage.account("a");
      const [id = ""] = await stage.put("a", 1);
      let begun = 0;
      for (let turn = 1; turn <= 9; turn++) {
        await stage.at(turn * 100_000);
        begun += kinds(await stage.begin(await stage.released())).length;
        await stage.at(turn * 100_000 + 50_000);
        await stage.reap(2);
      }
      expect([begun, await stage.state(id), await stage.used("A|a")]).toEqual([2, "uncertain", 2]);
    },
    without: [
      { script: "reap", find: "x.f.tries < (most_tries[m.channel] or 1)", replace: "true" },
      { script: "reap", find: "add(x, 'tries', 1)", replace: "put(x, 'tries', 1)" },
    ],
  },
  {
    of: "poison",
    name: "a mail that has killed three workers is set aside as failed, though it had tries left, and charged for each",
    check: async (stage) => {
      await stage.account("a");
      const [id = ""] = await stage.put("a", 1);
      let begun = 0;
      for (let turn = 1; turn <= 9; turn++) {
        await stage.at(turn * 100_000);
        begun += kinds(await stage.begin(await stage.released())).length;
        await stage.at(turn * 100_000 + 50_000);
        await stage.reap(8);
      }
      expect([begun, await stage.state(id), await stage.used("A|a")]).toEqual([3, "failed", 3]);
      expect((await stage.fields(`x:${id}`))["reason"]).toMatch(/^poison/);
    },
    without: [
      { script: "reap", find: "x.f.deaths >= POISON_DEATHS", replace: "false" },
      { script: "reap", find: "add(x, 'deaths', 1)", replace: "put(x, 'deaths', 1)" },
    ],
  },
  {
    of: "senderLead",
    name: "a slow sender does not push the channel's slots ahead: the next account's message goes at once",
    check: async (stage) => {
      await stage.account("a");
      await stage.account("b");
      await stage.channel("email", { interval: milliseconds(100) });
      await stage.senderRate("a", 1_000);
      await stage.put("a", 1);
      await stage.begin(await stage.released());
      await stage.senderRate("a", null);
      await stage.put("a", 1);
      const early = await stage.released();
      await stage.senderRate("a", 1_000);
      await stage.change("q:S|a|email|s0@x.org", { last: await stage.clock() });
      expect(kinds(await stage.begin(early))).toEqual(["returned"]);
      await stage.put("b", 1);
      expect(await stage.begin(await stage.released())).toMatchObject([{ kind: "go", slotIn: 100 }]);
    },
    without: [{ script: "begin", find: "if sender_slot > channel_slot + SENDER_LEAD then", replace: "if false then" }],
  },
  {
    of: "rateLast",
    name: "a sender's rate that is raised acts at once, not when the old slot would have come",
    check: async (stage) => {
      await stage.account("a");
      await stage.senderRate("a", 60_000);
      await stage.put("a", 2);
      await stage.begin(await stage.released());
      await stage.at(2_000);
      expect(await stage.released()).toEqual([]);
      await stage.senderRate("a", 1_000);
      expect(await stage.released()).toHaveLength(1);
    },
    without: [
      // Keeps the next slot in place of the last.
      {
        script: "set-sender-rate",
        find: "put(q, 'interval', tonumber(ARGV[4]))",
        replace:
          "put(q, 'last', q.f.last and q.f.last + q.f.interval - ARGV[4])\nput(q, 'interval', tonumber(ARGV[4]))",
      },
      { script: "set-sender-rate", find: "\nwake_sender(account, channel, sender)", replace: "" },
    ],
  },
  {
    of: "groupOrder",
    name: "a group that begin returns goes back in its order",
    check: async (stage) => {
      await stage.account("a");
      const ids = await stage.put("a", 4);
      const pairs = await stage.released();
      await stage.pause("a", "email", true);
      expect(kinds(await stage.begin(pairs))).toEqual(["returned", "returned", "returned", "returned"]);
      await stage.pause("a", "email", false);
      expect(await stage.drain()).toEqual(ids);
    },
    without: [{ script: "begin", find: "for i = #returned, 1, -1 do", replace: "for i = 1, #returned do" }],
  },
  {
    of: "groupOrder",
    name: "a group that a stopping worker gives back goes back in its order",
    check: async (stage) => {
      await stage.account("a");
      const ids = await stage.put("a", 4);
      await stage.unrelease(await stage.released());
      expect(await stage.drain()).toEqual(ids);
    },
    without: [{ script: "unrelease", find: "for i = count, 1, -1 do", replace: "for i = 1, count do" }],
  },
  {
    of: "14",
    name: "a provider's 'slow down' closes the sender that it is about, and nobody else",
    check: async (stage) => {
      await stage.account("a");
      await stage.account("b");
      await stage.put("a", 3);
      await stage.put("b", 1);
      const first = only((await stage.released()).slice(0, 1));
      await stage.begin([first]);
      await stage.settle([first], "later", { close: { about: "sender", for: milliseconds(5_000) } });
      await stage.put("b", 1, { sender: "other@x.org" });
      await stage.put("a", 1, { sender: "other@x.org" });
      expect(await stage.released()).toHaveLength(2);
      await stage.put("a", 1);
      expect(await stage.released()).toEqual([]);
      await stage.at(5_000);
      expect((await stage.released()).length).toBeGreaterThan(0);
    },
    without: [
      {
        script: "settle",
        find: "about == 'channel' and rate_of(m.channel) or q_of_sender(m)",
        replace: "rate_of(m.channel)",
      },
      { script: "release", find: "if (q.f.closed or 0) > now then till, by", replace: "if false then till, by" },
    ],
  },
  {
    of: "14",
    name: "a provider's 'slow down' to everybody closes the channel, and the tick knows when it opens",
    check: async (stage) => {
      await stage.account("a");
      await stage.account("b");
      await stage.put("a", 2);
      const pairs = await stage.released();
      await stage.begin(pairs);
      await stage.settle([only(pairs)], "later", { close: { about: "channel", for: milliseconds(300) } });
      await stage.put("b", 1);
      expect(await stage.released()).toEqual([]);
      expect(await stage.tick()).toMatchObject({ ready: [], nextIn: 300 });
      await stage.at(300);
      expect((await stage.tick()).ready).toEqual(["email"]);
      expect(await stage.released()).toHaveLength(2);
    },
    without: [
      {
        script: "settle",
        find: "about == 'channel' and rate_of(m.channel) or q_of_sender(m)",
        replace: "q_of_sender(m)",
      },
      { script: "release", find: "rate.f.paused == 1 or (rate.f.closed or 0) > now", replace: "rate.f.paused == 1" },
      { script: "tick", find: "sooner(closed)", replace: "next = next" },
    ],
  },
  {
    of: "14",
    name: "a provider with little left is eased off: what it took is sent, the channel waits, and nobody was refused",
    check: async (stage) => {
      await stage.account("a");
      const [id = ""] = await stage.put("a", 2);
      const pairs = await stage.released();
      await stage.begin(pairs.slice(0, 1));
      await stage.settle(pairs.slice(0, 1), "sent", { close: { about: "channel", for: milliseconds(300) } });
      expect(await stage.fields(`x:${id}`)).toMatchObject({ state: "sent" });
      expect(await stage.begin(pairs.slice(1))).toMatchObject([{ kind: "returned" }]);
      const [usage = ""] = await stage.redis.keys(`${stage.cell}use:*`);
      expect(Object.keys(await stage.redis.hgetall(usage)).map((field) => field.split(":")[1])).toEqual(["sent"]);
      await stage.at(300);
      expect(await stage.released()).toHaveLength(1);
    },
    without: [
      { script: "settle", find: "if about ~= '-' then", replace: "if about ~= '-' and action ~= 'sent' then" },
      { script: "settle", find: "if action ~= 'sent' then\n      usage", replace: "if true then\n      usage" },
    ],
  },
  {
    of: "7",
    name: "what its provider would send once, however often it is shown, goes again and is charged again; a call never does",
    check: async (stage) => {
      await stage.account("a", { on_uncertain: JSON.stringify({ sms: "hold" }) });
      await stage.put("a", 1, { channel: "sms" });
      await stage.put("a", 1, { channel: "voice" });
      const texts = await stage.released("sms");
      const calls = await stage.released("voice");
      await stage.begin([...texts, ...calls]);
      await stage.settle([...texts, ...calls], "uncertain", { again: true, tries: 1 });
      expect(await stage.fields(`x:${texts[0]?.id}`)).toMatchObject({ state: "scheduled" });
      expect(await stage.fields(`x:${calls[0]?.id}`)).toMatchObject({ state: "uncertain" });
      await stage.tick();
      const again = await stage.released("sms");
      await stage.begin(again);
      await stage.settle(again, "uncertain", { again: true, tries: 1, mostTries: 2 });
      expect(await stage.fields(`x:${texts[0]?.id}`)).toMatchObject({ state: "asking" });
    },
    without: [
      { find: "elseif again and tries_left and m.channel ~= 'voice' then", replace: "elseif false then" },
      {
        find: "elseif again and tries_left and m.channel ~= 'voice' then",
        replace: "elseif again and tries_left then",
      },
      {
        find: "elseif again and tries_left and m.channel ~= 'voice' then",
        replace: "elseif again and m.channel ~= 'voice' then",
      },
    ],
  },
  {
    of: "14",
    name: "a shorter closing does not open what a longer one closed",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 2);
      const pairs = await stage.released();
      await stage.begin(pairs);
      await stage.settle(pairs.slice(0, 1), "later", { close: { about: "channel", for: milliseconds(9_000) } });
      await stage.settle(pairs.slice(1), "later", { close: { about: "channel", for: milliseconds(100) } });
      await stage.at(8_000);
      expect(await stage.released()).toEqual([]);
    },
    without: [{ script: "settle", find: "math.max(row.f.closed or 0, now + length)", replace: "now + length" }],
  },
];
