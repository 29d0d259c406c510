/** Rules 4, 6, 7 and 11, and the corrections to begin and settle: from release to outcome. */
import { expect } from "@jest/globals";
import { milliseconds } from "../../../src/domain/time.ts";
import type { Stage } from "../../support/gate-stage.ts";
import { kinds, only, type Rule } from "./rule.ts";

/** Released messages of account `a`, which begin must then look at again. */
const someReleased = async (stage: Stage, count = 1) => {
  await stage.account("a");
  await stage.put("a", count);
  return stage.released();
};

const returnsWhat =
  (change: (stage: Stage) => Promise<unknown>): Rule["check"] =>
  async (stage) => {
    const pairs = await someReleased(stage);
    await change(stage);
    expect(kinds(await stage.begin(pairs))).toEqual(["returned"]);
    expect(await stage.held("A|a")).toBe(0);
    expect(await stage.state(only(pairs).id)).toBe("queued");
  };

const PAUSED =
  "if ac.f.paused == 1 or rate.f.paused == 1 or account.removed then return 'paused' end\n  if (rate.f.closed or 0) > now or (q_sender.f.closed or 0) > now";

export const BEGINNING: readonly Rule[] = [
  ...["A|a", "C|a|email", "S|a|email|s0@x.org"].map((scope, at): Rule => {
    const rows = ["q:S|", "q:C|", "q:A|"][2 - at];
    return {
      of: "4",
      name: `a limit of ${scope} that is lowered holds for what has been released`,
      check: returnsWhat((stage) => stage.limit(scope, { day: 0 })),
      without: [
        {
          script: "begin",
          find: "if blocked_until(q, 0, account.zone, now) > 0 then",
          replace: `if not string.find(q.name, '${rows}', 1, true) and blocked_until(q, 0, account.zone, now) > 0 then`,
        },
      ],
    };
  }),
  {
    of: "4",
    name: "what was released before its account was paused is given back",
    check: returnsWhat((stage) => stage.pause("a", "email", true)),
    without: [{ script: "begin", find: PAUSED, replace: PAUSED.replace("ac.f.paused == 1", "false") }],
  },
  {
    of: "4",
    name: "what was released before its channel was paused is given back",
    check: returnsWhat((stage) => stage.channel("email", { paused: true })),
    without: [{ script: "begin", find: PAUSED, replace: PAUSED.replace("rate.f.paused == 1", "false") }],
  },
  {
    of: "4",
    name: "what was released before its account was removed is given back",
    check: returnsWhat((stage) => stage.redis.hset(`${stage.cell}acc:a`, "removed", 1)),
    without: [{ script: "begin", find: PAUSED, replace: PAUSED.replace("account.removed", "false") }],
  },
  {
    of: "4",
    name: "a closed channel's released messages give their holds back: they would block the account's other channels",
    check: returnsWhat((stage) => stage.channel("email", { close: milliseconds(9_000) })),
    without: [{ script: "begin", find: PAUSED, replace: PAUSED.replace("(rate.f.closed or 0) > now", "false") }],
  },
  {
    of: "4",
    name: "a closed sender's released messages give their holds back",
    check: async (stage) => {
      const [first, ...rest] = await someReleased(stage, 2);
      if (!first) throw new Error("nothing was released");
      await stage.begin([first]);
      await stage.settle([first], "later", { close: { about: "sender", for: milliseconds(9_000) } });
      expect(kinds(await stage.begin(rest))).toEqual(["returned"]);
    },
    without: [{ script: "begin", find: PAUSED, replace: PAUSED.replace("(q_sender.f.closed or 0) > now", "false") }],
  },
  {
    of: "4",
    name: "the last message that a limit allows may go: its own hold is not held against it",
    check: async (stage) => {
      await stage.account("a");
      await stage.limit("A|a", { hour: 1 });
      await stage.put("a", 1);
      expect(kinds(await stage.begin(await stage.released()))).toEqual(["go"]);
    },
    without: [{ script: "begin", find: "blocked_until(q, 0,", replace: "blocked_until(q, 1," }],
  },
  {
    of: "6",
    name: "a begin whose reply was lost gets the same answer again; another run is told that it is taken",
    check: async (stage) => {
      const pairs = await someReleased(stage);
      const [first] = await stage.begin(pairs, "one");
      expect(first).toMatchObject({ kind: "go", tries: 0 });
      expect(await stage.begin(pairs, "one")).toEqual([first]);
      expect(kinds(await stage.begin(pairs, "two"))).toEqual(["taken"]);
    },
    without: [
      { script: "begin", find: "if x.f.token ~= token then return", replace: "do return" },
      { script: "begin", find: "if x.f.token ~= token then return { 'taken' } end", replace: "" },
    ],
  },
  {
    of: "6",
    name: "a token that reads as a number is a token all the same",
    check: async (stage) => {
      const pairs = await someReleased(stage);
      await stage.begin(pairs, "0012e3");
      await stage.asBefore();
      expect(kinds(await stage.begin(pairs, "0012e3"))).toEqual(["go"]);
      expect(kinds(await stage.begin(pairs, "12000"))).toEqual(["taken"]);
      expect(await stage.settle(pairs, "sent", {}, "0012e3")).toEqual(["ok"]);
    },
    without: [{ find: "flat[i] ~= 'token' and ", replace: "" }],
  },
  {
    of: "6",
    name: "nobody settles what another run began",
    check: async (stage) => {
      const pairs = await someReleased(stage);
      await stage.begin(pairs, "one");
      expect(await stage.settle(pairs, "failed", {}, "two")).toEqual(["refused"]);
      expect(await stage.state(only(pairs).id)).toBe("sending");
    },
    without: [{ script: "settle", find: "or x.f.token ~= token", replace: "" }],
  },
  {
    of: "6",
    name: "a worker that wakes after its message was released anew settles nothing",
    check: async (stage) => {
      const pairs = await someReleased(stage);
      await stage.begin(pairs, "one");
      await stage.settle(pairs, "later", {}, "one");
      const again = await stage.released();
      await stage.begin(again, "one");
      expect(await stage.settle(pairs, "failed", {}, "one")).toEqual(["refused"]);
      expect(kinds(await stage.begin(pairs, "one"))).toEqual(["stale"]);
    },
    without: [
      { script: "settle", find: "x.f.release ~= release or", replace: "" },
      { script: "begin", find: "x.f.release ~= release or", replace: "" },
    ],
  },
  {
    of: "7",
    name: "nothing is declared uncertain before its worker must be dead, and then it is charged and not sent again",
    check: async (stage) => {
      await stage.account("a");
      const [id = ""] = await stage.put("a", 1, { channel: "sms" });
      await stage.begin(await stage.released("sms"));
      await stage.at(24_000);
      await stage.reap();
      expect(await stage.state(id)).toBe("sending");
      await stage.at(26_000);
      await stage.reap();
      expect([await stage.state(id), await stage.used("A|a"), await stage.held("A|a")]).toEqual(["asking", 1, 0]);
    },
    without: [
      { script: "reap", find: "'(' .. string.format('%.0f', now)", replace: "'+inf'" },
      { script: "reap", find: "return m.channel == 'sms' or", replace: "return false and" },
      { find: "  hold(m, -1)\n  charge(m, now)\n  usage", replace: "  hold(m, -1)\n  usage" },
    ],
  },
  {
    of: "7",
    name: "a call whose end nobody saw is not dialed again, even where the account resends texts",
    check: async (stage) => {
      await stage.account("a", { on_uncertain: '{"sms":"resend","voice":"resend"}' });
      const [text = ""] = await stage.put("a", 1, { channel: "sms" });
      const [call = ""] = await stage.put("a", 1, { channel: "voice" });
      await stage.begin(await stage.released("sms"));
      await stage.begin(await stage.released("voice"));
      await stage.at(26_000);
      await stage.reap();
      expect([await stage.state(text), await stage.state(call)]).toEqual(["asking", "uncertain"]);
      for (const ms of [15_000, 60_000, 300_000]) {
        await stage.at(26_000 + ms);
        expect(await stage.ask("absent")).toEqual([ms === 300_000 ? "resend" : "again"]);
      }
      expect([await stage.state(text), await stage.state(call)]).toEqual(["scheduled", "uncertain"]);
    },
    without: [
      { script: "reap", find: "if m.channel == 'voice' then return false end", replace: "" },
      { script: "asked", find: "local choice = stated and", replace: "local choice = false and" },
    ],
  },
  {
    of: "7",
    name: "what was never handed to a provider is charged nothing",
    check: async (stage) => {
      const pairs = await someReleased(stage);
      await stage.begin(pairs);
      await stage.settle(pairs, "later");
      expect([await stage.held("A|a"), await stage.used("A|a")]).toEqual([0, 0]);
    },
    without: [
      {
        script: "settle",
        find: "elseif action == 'later' then\n    hold(m, -1)",
        replace: "elseif action == 'later' then\n    hold(m, -1)\n    charge(m, now)",
      },
      {
        script: "settle",
        find: "elseif action == 'later' then\n    hold(m, -1)",
        replace: "elseif action == 'later' then",
      },
    ],
  },
  {
    of: "7",
    name: "news that comes after the reaper is heard if it is good: an uncertain message was sent",
    check: async (stage) => {
      await stage.account("a");
      const [id = ""] = await stage.put("a", 1, { channel: "sms" });
      const pairs = await stage.released("sms");
      await stage.begin(pairs);
      await stage.at(26_000);
      await stage.reap();
      expect(await stage.settle(pairs, "failed")).toEqual(["refused"]);
      expect(await stage.state(id)).toBe("asking");
      await stage.settle(pairs, "sent");
      expect([await stage.state(id), await stage.used("A|a"), await stage.held("A|a")]).toEqual(["sent", 1, 0]);
    },
    without: [{ script: "settle", find: "late_news(m, x, more.provider_id)\n", replace: "\n" }],
  },
  {
    of: "11",
    name: "a worker that is too early waits: it takes no slot, and marks nothing",
    check: async (stage) => {
      await stage.channel("email", { interval: milliseconds(600) });
      const pairs = await someReleased(stage, 3);
      expect(await stage.begin(pairs)).toMatchObject([{ slotIn: 0 }, { slotIn: 600 }, { kind: "wait", waitFor: 200 }]);
      expect(await stage.begin(pairs.slice(2))).toMatchObject([{ kind: "wait", waitFor: 200 }]);
      expect(await stage.state(pairs[2]?.id ?? "")).toBe("released");
      await stage.at(200);
      expect(await stage.begin(pairs.slice(2))).toMatchObject([{ kind: "go", slotIn: 1_000 }]);
    },
    without: [
      { script: "begin", find: "if channel_slot > now + SLOT_AHEAD then return", replace: "if false then return" },
      {
        script: "begin",
        find: "if channel_slot > now + SLOT_AHEAD then return",
        replace: "if channel_slot > now + SLOT_AHEAD then put(rate, 'last', channel_slot) return",
      },
    ],
  },
  {
    of: "11",
    name: "slots keep their distance, exactly",
    check: async (stage) => {
      await stage.channel("email", { interval: milliseconds(100) });
      const pairs = await someReleased(stage, 10);
      expect((await stage.begin(pairs)).map((reply) => ("slotIn" in reply ? reply.slotIn : reply.kind))).toEqual([
        0, 100, 200, 300, 400, 500, 600, 700, 800, 900,
      ]);
    },
    without: [
      { script: "begin", find: "put(row, 'last', math.max(row.f.last or 0, slot))", replace: "put(row, 'last', now)" },
    ],
  },
  {
    of: "11",
    name: "nobody is called after its time: what expires before its slot takes none, and expires",
    check: async (stage) => {
      await stage.account("a");
      await stage.channel("email", { interval: milliseconds(600) });
      await stage.put("a", 1);
      await stage.put("a", 1, { expiresAt: 600 });
      await stage.put("a", 1, { expiresAt: 601 });
      const pairs = await stage.released();
      expect(await stage.begin(pairs)).toMatchObject([{ slotIn: 0 }, { kind: "wait", waitFor: 600 }, { slotIn: 600 }]);
      await stage.at(600);
      expect(await stage.begin(pairs.slice(1, 2))).toEqual([{ kind: "ended", state: "expired" }]);
      expect(await stage.held("A|a")).toBe(2);
    },
    without: [{ script: "begin", find: "if m.expires > 0 and m.expires <= slot then", replace: "if false then" }],
  },
];
