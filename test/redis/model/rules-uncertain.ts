/** What may have been sent, and nobody knows. */
import { expect } from "@jest/globals";
import { milliseconds } from "../../../src/domain/time.ts";
import type { Release } from "../../../src/redis/scripts/begin.ts";
import type { Stage } from "../../support/gate-stage.ts";
import { kinds, type Rule } from "./rule.ts";

/** A text whose outcome nobody knew is being sent once more, and now its provider tells of the first time. */
const knownMeanwhile = async (stage: Stage): Promise<readonly Release[]> => {
  await stage.account("a", { on_uncertain: '{"sms":"resend"}' });
  const [id = ""] = await stage.put("a", 1, { channel: "sms" });
  await stage.begin(await stage.released("sms"));
  await stage.at(26_000);
  await stage.reap();
  for (const ms of [50_000, 100_000, 350_000]) {
    await stage.at(ms);
    await stage.ask("absent");
  }
  await stage.at(360_000);
  const again = await stage.released("sms");
  expect(kinds(await stage.begin(again))).toEqual(["go"]);
  expect(await stage.heard(id, "delivered")).toBe("noted");
  return again;
};

export const UNCERTAIN: readonly Rule[] = [
  {
    of: "uncertain",
    name: "a text that the provider has is one message's: the same words of another's do not make one sent that never was",
    check: async (stage) => {
      await stage.account("a");
      const [lost = ""] = await stage.put("a", 1, { channel: "sms" });
      const first = await stage.released("sms");
      await stage.begin(first, "one");
      const [sent = ""] = await stage.put("a", 1, { channel: "sms" });
      const second = await stage.released("sms");
      await stage.begin(second, "two");
      await stage.settle(second, "sent", { providerId: "SM1" }, "two");
      await stage.at(26_000);
      await stage.reap();
      await stage.at(60_000);
      expect(await stage.ask("sent", 3, "SM1")).toEqual(["again"]);
      expect([await stage.state(lost), await stage.state(sent)]).toEqual(["asking", "sent"]);
    },
    without: [
      { script: "asked", find: "if not whose or whose == id then", replace: "if true then" },
      { script: "settle", find: "    own_text(m, more.provider_id, now)\n", replace: "" },
    ],
  },
  {
    of: "uncertain",
    name: "two with the same words that took each other's place in the list have their own again when the provider tells",
    check: async (stage) => {
      await stage.account("a");
      const ids = await stage.put("a", 2, { channel: "sms" });
      await stage.begin(await stage.released("sms"));
      await stage.at(26_000);
      await stage.reap();
      await stage.at(60_000);
      expect(await stage.ask("delivered", 3, "SM2")).toEqual(["ended", "again"]);
      const [first = "", second = ""] = (await stage.fields(`x:${ids[0]}`))["guessed"] ? ids : ids.toReversed();
      expect(await stage.heard(first, "undelivered", "SM1")).toBe("changed");
      expect(await stage.heard(first, "delivered", "SM2")).toBe("unknown");
      await stage.at(120_000);
      expect(await stage.ask("delivered", 3, "SM2")).toEqual(["ended"]);
      expect([await stage.state(first), await stage.state(second)]).toEqual(["undelivered", "delivered"]);
    },
    without: [
      { script: "heard", find: "is_another and x.f.guessed == 1", replace: "false" },
      { script: "heard", find: "    leave_text(m, x.f.provider_id)\n", replace: "" },
      { script: "heard", find: "    put(x, 'guessed', nil)\n", replace: "" },
      { script: "heard", find: "or was_mistaken or", replace: "or" },
    ],
  },
  {
    of: "uncertain",
    name: "where it was asked about before the other was told, it is unknown again once that one is",
    check: async (stage) => {
      await stage.account("a");
      const [lost = ""] = await stage.put("a", 1, { channel: "sms" });
      await stage.begin(await stage.released("sms"), "one");
      await stage.at(26_000);
      await stage.reap();
      const [other = ""] = await stage.put("a", 1, { channel: "sms" });
      const late = await stage.released("sms");
      await stage.begin(late, "two");
      await stage.at(41_500);
      expect(await stage.ask("sent", 3, "SM1")).toEqual(["ended"]);
      expect(await stage.state(lost)).toBe("sent");
      await stage.settle(late, "sent", { providerId: "SM1" }, "two");
      expect([await stage.state(lost), await stage.state(other)]).toEqual(["uncertain", "sent"]);
    },
    without: [{ find: "      change_end(other, 'uncertain', now)\n", replace: "" }],
  },
  {
    of: "uncertain",
    name: "what is to go once more because nobody knew goes no more once the provider tells that it has it",
    check: async (stage) => {
      await stage.account("a");
      const [mail = "", other = ""] = await stage.put("a", 2);
      const pairs = await stage.released();
      await stage.begin(pairs);
      await stage.settle(pairs.slice(0, 1), "uncertain", { tries: 1, delay: milliseconds(5_000) });
      await stage.settle(pairs.slice(1), "later", { tries: 1, delay: milliseconds(5_000) });
      // A refusal is no doubt: what is heard of it then is of another.
      expect([await stage.heard(mail, "delivered"), await stage.heard(other, "delivered")]).toEqual([
        "changed",
        "known",
      ]);
      expect(await stage.state(mail)).toBe("delivered");
      await stage.at(6_000);
      expect((await stage.released()).map(({ id }) => id)).toEqual([other]);
      expect([await stage.used("A|a"), await stage.held("A|a")]).toEqual([1, 1]);
    },
    without: [
      { script: "heard", find: "elseif x.f.doubt and waits then", replace: "elseif false then" },
      { script: "heard", find: "elseif x.f.doubt and waits then", replace: "elseif waits then" },
    ],
  },
  ...(["later", "failed"] as const).map((action): Rule => ({
    of: "uncertain",
    name: `what is known to be delivered while it goes once more is that, though the second try is settled as ${action}`,
    check: async (stage) => {
      const again = await knownMeanwhile(stage);
      expect(await stage.settle(again, action)).toEqual(["ok"]);
      expect(await stage.state(again[0]?.id ?? "")).toBe("delivered");
      expect([await stage.used("A|a"), await stage.held("A|a")]).toEqual([1, 0]);
      await stage.at(400_000);
      expect(await stage.released("sms")).toEqual([]);
    },
    without: [{ script: "settle", find: "elseif is_known then", replace: "elseif false then" }],
  })),
  {
    of: "uncertain",
    name: "what is known to be delivered while it goes once more does not go, though a stopping worker gave it back",
    check: async (stage) => {
      const again = await knownMeanwhile(stage);
      expect(await stage.unrelease(again, "T")).toEqual([true]);
      expect(await stage.begin(await stage.released("sms"))).toEqual([{ kind: "ended", state: "delivered" }]);
      expect([await stage.used("A|a"), await stage.held("A|a")]).toEqual([1, 0]);
    },
    without: [{ script: "begin", find: "if x.f.doubt and x.f.heard then", replace: "if false then" }],
  },
  {
    of: "uncertain",
    name: "what is known to have been sent only after it had ended counts as sent, once",
    check: async (stage) => {
      await stage.account("a");
      const counts = async (channel: string): Promise<number> => {
        const days = await stage.redis.keys(`${stage.cell}use:a:${channel}:*`);
        const uses = await Promise.all(days.map((key) => stage.redis.hgetall(key)));
        const sent = uses.flatMap(Object.entries).filter(([field]) => field.endsWith(":sent"));
        return sent.reduce((sum, [, count]) => sum + Number(count), 0);
      };
      // A call of which nobody knew, and then its provider tells; and one whose worker is back.
      const [told = "", late = ""] = await stage.put("a", 2, { channel: "voice" });
      const calls = await stage.released("voice");
      await stage.begin(calls);
      await stage.settle(calls.slice(0, 1), "uncertain", { tries: 1 });
      await stage.at(26_000);
      await stage.reap();
      expect([await stage.state(told), await stage.state(late), await counts("voice")]).toEqual([
        "uncertain",
        "uncertain",
        0,
      ]);
      for (const verdict of ["sent", "delivered", "undelivered"] as const) await stage.heard(told, verdict);
      expect(await counts("voice")).toBe(1);
      await stage.settle(calls.slice(1), "sent");
      expect([await stage.state(told), await stage.state(late), await counts("voice")]).toEqual([
        "delivered",
        "sent",
        2,
      ]);
      // A mail that was to go once more, and was canceled.
      const [doubted = ""] = await stage.put("a", 1);
      const mails = await stage.released();
      await stage.begin(mails);
      await stage.settle(mails, "uncertain", { tries: 1 });
      await stage.cancel(doubted);
      await stage.heard(doubted, "delivered");
      expect(await counts("email")).toBe(1);
      // A text that was found, and then was another's, and then its own.
      const [text = ""] = await stage.put("a", 1, { channel: "sms" });
      await stage.begin(await stage.released("sms"));
      await stage.at(60_000);
      await stage.reap();
      await stage.at(90_000);
      expect(await stage.ask("sent", 3, "SM1")).toEqual(["ended"]);
      const [other = ""] = await stage.put("a", 1, { channel: "sms" });
      const next = await stage.released("sms");
      await stage.begin(next);
      await stage.settle(next, "sent", { providerId: "SM1" });
      expect([await stage.state(text), await stage.state(other)]).toEqual(["uncertain", "sent"]);
      await stage.heard(text, "delivered", "SM2");
      expect([await stage.state(text), await counts("sms")]).toEqual(["delivered", 2]);
    },
    without: [
      { find: "if WENT[state] and not WENT[x.f.state]", replace: "if false" },
      { find: "WENT[state] and not WENT[x.f.state] and", replace: "WENT[state] and" },
      { find: " and x.f.guessed ~= 1 then usage", replace: " then usage" },
    ],
  },
  {
    of: "uncertain",
    name: "the first that the provider tells for good holds, also while the message is being sent",
    check: async (stage) => {
      await stage.account("a");
      const [id = ""] = await stage.put("a", 1, { channel: "sms" });
      const pairs = await stage.released("sms");
      await stage.begin(pairs);
      const told = [await stage.heard(id, "sent"), await stage.heard(id, "delivered")];
      expect([...told, await stage.heard(id, "undelivered")]).toEqual(["noted", "noted", "known"]);
      await stage.settle(pairs, "sent", { providerId: "SM1" });
      expect(await stage.state(id)).toBe("delivered");
    },
    without: [{ script: "heard", find: "x.f.heard ~= 'sent' or verdict == 'sent'", replace: "verdict == 'sent'" }],
  },
  {
    of: "uncertain",
    name: "what was canceled while it was to go once more is delivered when the provider tells that the first was",
    check: async (stage) => {
      await stage.account("a");
      const [doubted = "", other = ""] = await stage.put("a", 2);
      const pairs = await stage.released();
      await stage.begin(pairs);
      await stage.settle(pairs.slice(0, 1), "uncertain", { tries: 1 });
      await stage.settle(pairs.slice(1), "later", { tries: 1 });
      expect(await stage.cancel(doubted, other)).toEqual(["ok", "ok"]);
      await stage.heard(doubted, "delivered");
      await stage.heard(other, "delivered");
      expect([await stage.state(doubted), await stage.state(other)]).toEqual(["delivered", "canceled"]);
    },
    without: [
      { script: "heard", find: "x.f.doubt and NOT_SENT[state]", replace: "false" },
      { script: "heard", find: "x.f.doubt and NOT_SENT[state]", replace: "NOT_SENT[state]" },
    ],
  },
  ...(["scheduled", "queued"] as const).map((waits): Rule => ({
    of: "uncertain",
    name: `news that comes after the reaper is heard of a mail that was to go once more, and is ${waits}: it was sent`,
    check: async (stage) => {
      await stage.account("a");
      const [id = ""] = await stage.put("a", 1, { expiresAt: 90_000 });
      const pairs = await stage.released();
      await stage.begin(pairs);
      await stage.at(26_000);
      await stage.reap();
      await stage.channel("email", { paused: true });
      await stage.at(waits === "queued" ? 60_000 : 26_001);
      await stage.release();
      expect(await stage.state(id)).toBe(waits);
      await stage.settle(pairs, "failed");
      expect(await stage.state(id)).toBe(waits);
      await stage.settle(pairs, "sent");
      expect([await stage.state(id), await stage.used("A|a"), await stage.held("A|a")]).toEqual(["sent", 1, 0]);
      const { queued, scheduled } = await stage.fields("ac:a:email");
      expect([queued, scheduled, (await stage.fields("acc:a"))["open"]]).toEqual([undefined, undefined, "0"]);
      await stage.channel("email", { paused: false });
      await stage.at(70_000);
      expect(await stage.released()).toEqual([]);
    },
    without: [
      { script: "settle", find: `${waits} = true`, replace: `${waits} = false` },
      { script: "settle", find: "    leave(m, is_now, now)\n", replace: "    change_end(m, is_now, now)\n" },
      { script: "settle", find: "and x.f.reaped == 1 and action == 'sent' then", replace: "and x.f.reaped == 1 then" },
    ],
  })),
  {
    of: "uncertain",
    name: "news that comes after the reaper is none of a mail that has been released anew: that run tells",
    check: async (stage) => {
      await stage.account("a");
      const [id = ""] = await stage.put("a", 1);
      const first = await stage.released();
      await stage.begin(first, "one");
      await stage.at(26_000);
      await stage.reap();
      await stage.at(60_000);
      const second = await stage.released();
      await stage.settle(first, "sent", {}, "one");
      expect(await stage.state(id)).toBe("released");
      await stage.begin(second, "two");
      await stage.settle(second, "later", { tries: 1 }, "two");
      await stage.settle(first, "sent", {}, "one");
      expect([await stage.state(id), await stage.held("A|a")]).toEqual(["scheduled", 0]);
    },
    without: [
      {
        script: "settle",
        find: "if x.f.release ~= release or x.f.token ~= token then return 'refused' end",
        replace: "",
      },
    ],
  },
];
