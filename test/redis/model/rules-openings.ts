/** Whose turn it is where a provider says "slow down" again and again: who was called has had it, who came back has not. */
import { expect } from "@jest/globals";
import { milliseconds } from "../../../src/domain/time.ts";
import type { Stage } from "../../support/gate-stage.ts";
import { aChannel, REFUSED, type Opening } from "./openings.ts";
import type { Rule } from "./rule.ts";

/** The channel opens, and is closed before anybody is called. */
const closedAtOnce = async (stage: Stage, isBackwards = false): Promise<void> => {
  const pairs = await stage.released("sms");
  await stage.channel("sms", { close: milliseconds(1_000) });
  await stage.begin(isBackwards ? pairs.toReversed() : pairs);
  await stage.at(stage.now() + 1_000);
};

const shares = (called: readonly string[], ...names: readonly string[]): number[] =>
  names.map((name) => Math.round((called.filter((who) => who === name).length / called.length) * 20));

const AS_A_TURN = "turn < (ac.f.had or 0)";
const ONE_BAD: readonly (readonly [string, number, Opening])[] = [
  ["thirty", 30, {}],
  ["a few", 3, {}],
  ["many", 150, {}],
  ["thirty, given back by a worker that stops,", 30, { by: "worker" }],
];

export const OPENINGS: readonly Rule[] = [
  ...ONE_BAD.map(([many, count, how]): Rule => ({
    of: "turnsAreCalls",
    name: `one whose messages are throttled, ${many} at each opening, does not keep another from its turn`,
    check: async (stage) => {
      const channel = await aChannel(stage);
      for (const account of ["x", "y"]) await stage.account(account);
      await channel.put("x", count, REFUSED);
      await channel.open(how);
      await channel.put("y", 1);
      expect(await channel.openingsUntil("y", how)).toBeLessThanOrEqual(2);
    },
    without: [
      { find: "put_at(ring_keys[m.channel][ring], m.account, turn)", replace: "nil" },
      { script: "settle", find: "put(ac, 'had', had)", replace: "" },
    ],
  })),
  {
    of: "turnsAreCalls",
    name: "of several that are throttled each keeps the others waiting for one opening",
    check: async (stage) => {
      const channel = await aChannel(stage);
      const bad = ["x1", "x2", "x3", "x4", "x5"];
      for (const account of [...bad, "y", "z"]) await stage.account(account);
      for (const account of bad) await channel.put(account, 30, REFUSED);
      await channel.open();
      await channel.put("y", 1);
      await channel.put("z", 3);
      const called = await channel.calledAt(7);
      expect([called.filter((who) => who === "y"), called.filter((who) => who === "z")].flat()).toHaveLength(4);
      for (const each of bad) expect(called).toContain(each);
    },
    without: [
      { find: "put_at(ring_keys[m.channel][ring], m.account, turn)", replace: "nil" },
      { find: AS_A_TURN, replace: "false" },
    ],
  },
  {
    of: "turnsAreCalls",
    name: "nor do urgent ones that are throttled, whatever their weight: H is called three times for each call of A",
    check: async (stage) => {
      const channel = await aChannel(stage);
      await stage.account("x", { weight: 5 });
      await stage.account("y");
      await channel.put("x", 60, { ...REFUSED, class: "high" });
      await channel.open();
      await channel.put("y", 1);
      expect(await channel.openingsUntil("y")).toBeLessThanOrEqual(5);
    },
    without: [
      { script: "settle", find: "put(stat_of(m.channel), 'served_h', stat_of(m.channel).f.called_h)", replace: "" },
      { script: "settle", find: "if ring == 'h' then add(stat, 'called_h', 1)", replace: "if ring == 'h' then" },
    ],
  },
  {
    of: "turnsAreCalls",
    name: "where one goes at each opening, H is called three times for each call of A, neither more nor less",
    check: async (stage) => {
      const channel = await aChannel(stage);
      for (const account of ["u", "b"]) await stage.account(account);
      await channel.put("b", 40);
      await channel.put("u", 40, { class: "high" });
      expect((await channel.calledAt(8, { answer: () => "eased" })).join("")).toBe("uuubuuub");
    },
    without: [
      { script: "settle", find: "elseif ring == 'a' then put(stat, 'called_h', nil) end", replace: "end" },
      { script: "settle", find: "if ring == 'h' then add(stat, 'called_h', 1)", replace: "if ring == 'h' then" },
    ],
  },
  {
    of: "turnsAreCalls",
    name: "what went through H and was not called is not owed: others' trouble does not cost urgent ones their place",
    check: async (stage) => {
      const channel = await aChannel(stage);
      for (const account of ["y", "b"]) await stage.account(account);
      await channel.put("y", 6, { class: "high" });
      await channel.put("b", 60);
      for (let n = 0; n < 12; n++) await closedAtOnce(stage);
      expect(Number((await stage.fields("ac:y:sms"))["debt"] ?? 0)).toBeLessThanOrEqual(0);
      expect((await channel.open()).slice(0, 3).join("")).toBe("yyy");
    },
    without: [
      {
        script: "begin",
        find: "if ring == 'h' then add(ac, 'debt', -1) end",
        replace: "",
      },
    ],
  },
  {
    of: "turnsAreCalls",
    name: "among the senders of an account, one that is throttled does not keep the others from their turns",
    check: async (stage) => {
      const channel = await aChannel(stage);
      await stage.account("a");
      await channel.put("+1555000001", 30, { ...REFUSED, account: "a" });
      await channel.open();
      for (const sender of ["+1555000002", "+1555000003"]) await channel.put(sender, 1, { account: "a" });
      const called = await channel.calledAt(3);
      expect(called).toContain("+1555000002");
      expect(called).toContain("+1555000003");
    },
    without: [
      { find: "put_at(inner_ring(m), m.sender, turn)", replace: "put_at(inner_ring(m), m.sender, turn + 1e9)" },
      { script: "settle", find: "put(q_of_sender(m), 'had', had)", replace: "" },
    ],
  },
  {
    of: "turnsAreCalls",
    name: "a channel that opens and is closed before anybody begins leaves everybody the place that they had",
    check: async (stage) => {
      const channel = await aChannel(stage);
      for (const account of ["a", "b", "c"]) await stage.account(account);
      await channel.put("a", 2);
      await channel.put("b", 30);
      await channel.put("c", 1);
      // In whatever order workers come to them.
      for (const isBackwards of [false, true, false]) await closedAtOnce(stage, isBackwards);
      expect((await channel.open()).slice(0, 7).join("")).toBe("aabbbbc");
    },
    without: [
      { script: "begin", find: "if at and at > turn then", replace: "if at then" },
      { script: "begin", find: "if at and at > turn then", replace: "if false then" },
    ],
  },
  {
    of: "turnsAreCalls",
    name: "who comes back gains nothing by it: where one goes at each opening, shares are by weight as ever",
    check: async (stage) => {
      const channel = await aChannel(stage);
      await stage.account("a");
      await stage.account("b", { weight: 2 });
      await stage.account("c");
      await channel.put("a", 200);
      await channel.put("b", 200);
      await channel.put("c", 200);
      expect(shares(await channel.calledAt(96, { answer: () => "eased" }), "a", "b", "c")).toEqual([5, 10, 5]);
    },
    without: [
      {
        script: "begin",
        find: "put(ac, credit, (at == turn and ac.f[credit] or 0) + 1)",
        replace: "put(ac, credit, nil)",
      },
      { script: "begin", find: "(at == turn and ac.f[credit] or 0) + 1", replace: "1" },
    ],
  },
];
