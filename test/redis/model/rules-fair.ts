/** Rule 12 and its corrections: whose turn it is. */
import { expect } from "@jest/globals";
import { HOUR, type Stage } from "../../support/gate-stage.ts";
import type { Rule } from "./rule.ts";
import { serve, shareOf } from "./serving.ts";

export const FAIR: readonly Rule[] = [
  {
    of: "12",
    name: "accounts of weight 1, 2 and 5 get an eighth, a quarter and five eighths",
    check: async (stage) => {
      const served = await serve(stage, [{ weight: 1 }, { weight: 2 }, { weight: 5 }], 640, 4);
      expect([0, 1, 2].map((i) => Math.round(shareOf(served, i) * 40))).toEqual([5, 10, 25]);
    },
    without: [
      {
        script: "release",
        find: "(ac.f.fresh and 1 or turn_in(ring, number, now, stat, size > 1)) * weight",
        replace: "(ac.f.fresh and 1 or turn_in(ring, number, now, stat, size > 1))",
      },
    ],
  },
  {
    of: "12",
    name: "an account split over fifty senders gets no more than one with a single sender",
    check: async (stage) => {
      const served = await serve(stage, [{ senders: 50 }, {}, {}], 480, 4);
      expect(Math.abs(shareOf(served, 0) - 1 / 3)).toBeLessThan(0.02);
    },
    without: [
      {
        script: "release",
        find: "(ac.f.fresh and 1 or turn_in(ring, number, now, stat, size > 1)) * weight",
        replace:
          "(ac.f.fresh and 1 or turn_in(ring, number, now, stat, size > 1)) * weight * math.max(1, ac.f.in_low or 0)",
      },
    ],
  },
  {
    of: "12",
    name: "one that marks everything urgent gets its share and no more",
    check: async (stage) => {
      const served = await serve(stage, [{ highEvery: 1 }, {}, {}, {}], 640, 4);
      expect(Math.abs(shareOf(served, 0) - 1 / 4)).toBeLessThan(0.03);
    },
    without: [{ script: "release", find: "add(ac, 'debt', count)", replace: "" }],
  },
  {
    of: "12",
    name: "urgent accounts do not starve the others: H is served three times for each service of A",
    check: async (stage) => {
      for (let i = 0; i < 9; i++) {
        await stage.account(`urgent${i}`);
        await stage.put(`urgent${i}`, 9, { class: "high" });
      }
      await stage.account("bulk");
      const [bulk = ""] = await stage.put("bulk", 1);
      await stage.put("bulk", 20);
      const order: string[] = [];
      for (let call = 0; call < 100; call++) {
        const pairs = (await stage.release("email", 1, { messages: 1 })).jobs.flatMap((job) => job.messages);
        for (const [id, number] of pairs) {
          await stage.begin([{ id, release: number }]);
          await stage.settle([{ id, release: number }], "sent");
          order.push(id);
        }
      }
      // Of 81 urgent ones: A, in which the nine are as well, has had one service in four.
      expect(order.indexOf(bulk)).toBeGreaterThanOrEqual(0);
      expect(order.indexOf(bulk)).toBeLessThan(60);
    },
    without: [{ script: "release", find: "local H_PER_A = 3", replace: "local H_PER_A = 1e9" }],
  },
  {
    of: "hServedKept",
    name: "how often H was served since A is kept between calls: calls that release one message each starve nobody",
    check: async (stage) => {
      for (let i = 0; i < 9; i++) {
        await stage.account(`urgent${i}`);
        await stage.put(`urgent${i}`, 9, { class: "high" });
      }
      await stage.account("bulk");
      await stage.put("bulk", 20);
      let services = 0;
      for (let call = 0; call < 16; call++) {
        await stage.release("email", 1, { messages: 1 });
        if (!("served_h" in (await stage.fields("stat:email")))) services++;
        await stage.beat(true, `w${call}`);
      }
      expect(services).toBe(4);
    },
    without: [
      {
        script: "release",
        find: "local rate, stat = rate_of(channel), stat_of(channel)",
        replace: "local rate, stat = rate_of(channel), stat_of(channel)\nput(stat, 'served_h', 0)",
      },
    ],
  },
  {
    of: "12",
    name: "an account's urgent messages go before its bulk, and its classes in order",
    check: async (stage) => {
      await stage.account("a");
      const low = await stage.put("a", 2, { class: "low" });
      const normal = await stage.put("a", 2, { class: "normal" });
      const high = await stage.put("a", 2, { class: "high", sender: "other@x.org" });
      expect(await stage.drain()).toEqual([...high, ...normal, ...low]);
    },
    without: [
      {
        script: "release",
        find: "(ac.f.in_high or 0) > 0 and 'high' or (ac.f.in_normal or 0) > 0 and 'normal' or 'low'",
        replace: "(ac.f.in_low or 0) > 0 and 'low' or (ac.f.in_normal or 0) > 0 and 'normal' or 'high'",
      },
    ],
  },
  {
    of: "12",
    name: "an account's senders take turns",
    check: async (stage) => {
      await stage.account("a");
      const one = await stage.put("a", 3, { sender: "one@x.org" });
      const two = await stage.put("a", 3, { sender: "two@x.org" });
      expect(await stage.drain()).toEqual([0, 1, 2].flatMap((i) => [one[i], two[i]]));
    },
    without: [
      { script: "release", find: "redis.call('ZADD', lane.inner, next_turn(channel), lane.sender)", replace: "" },
    ],
  },
  {
    of: "12",
    name: "after a window opened, everybody's first message goes before anybody's second",
    check: async (stage) => {
      for (let i = 0; i < 5; i++) {
        await stage.account(`a${i}`);
        await stage.limit(`A|a${i}`, { hour: 4 });
        await stage.put(`a${i}`, 8);
      }
      await stage.drain();
      await stage.at(HOUR);
      const first = (await stage.released())
        .slice(0, 5)
        .map(async ({ id }) => (await stage.redis.get(`${stage.cell}m:${id}`))?.split(" ")[1]);
      expect(new Set(await Promise.all(first)).size).toBe(5);
    },
    without: [
      {
        script: "release",
        find: "(ac.f.fresh and 1 or turn_in(ring, number, now, stat, size > 1)) * weight",
        replace: "turn_in(ring, number, now, stat, size > 1) * weight",
      },
    ],
  },
  {
    of: "12",
    name: "what an account had through H is repaid from its turns in A",
    check: async (stage) => {
      await stage.account("a", { weight: 3 });
      await stage.account("b", { weight: 3 });
      await stage.put("b", 90);
      await stage.put("a", 30, { class: "high" });
      await stage.put("a", 90);
      // Equal shares, to a turn of twelve: a had thirty of its messages through H, ahead of its turns.
      const mine = (await drainOwners(stage, 120)).filter((owner) => owner === "a").length;
      expect(Math.abs(mine - (120 - mine))).toBeLessThanOrEqual(12);
    },
    without: [
      {
        script: "release",
        find: "if ring == 'a' and (ac.f.debt or 0) > 0 and not ac.f.credit_a then",
        replace: "if false then",
      },
    ],
  },
  {
    of: "repayTurn",
    name: "a turn in A that is partly owed is worth the rest, not nothing: debts do not cost more than they were",
    check: async (stage) => {
      const served = await serve(stage, [{ highEvery: 5 }, {}, {}, {}], 640, 4);
      expect(Math.abs(shareOf(served, 0) - 1 / 4)).toBeLessThan(0.02);
    },
    without: [
      {
        script: "release",
        find: "local repaid = math.min(ac.f.debt, worth)\n    add(ac, 'debt', -repaid)\n    put(ac, 'credit_a', worth > repaid and worth - repaid or nil)",
        replace: "add(ac, 'debt', -math.min(ac.f.debt, weight))",
      },
    ],
  },
  {
    of: "creditPerRing",
    name: "what is left of a turn goes when the account leaves the ring: it comes back to a whole turn, not to a rest",
    check: async (stage) => {
      await stage.account("a");
      await stage.account("b");
      await stage.put("a", 1);
      await stage.drain();
      await stage.put("a", 8);
      await stage.put("b", 8);
      expect((await drainOwners(stage, 8)).join("")).toBe("aaaabbbb");
    },
    without: [{ script: "release", find: "put(ac, 'credit_' .. ring, nil)\nend", replace: "end" }],
  },
  {
    of: "creditPerRing",
    name: "turns in H and in A are counted apart",
    check: async (stage) => {
      await stage.account("a");
      await stage.put("a", 2, { class: "high" });
      await stage.release("email", 1, { messages: 1 });
      expect(await stage.fields("ac:a:email")).toMatchObject({ credit_h: "3", debt: "1" });
      expect(await stage.fields("ac:a:email")).not.toHaveProperty("credit_a");
    },
    without: [
      {
        script: "release",
        find: "local credit = turn - count\n  put(ac, CREDIT[ring], credit > 0 and credit or nil)",
        replace: "local credit = (ac.f.credit_a or worth) - count\n  put(ac, 'credit_a', credit > 0 and credit or nil)",
      },
    ],
  },
];

/** The accounts of the next `count` messages, in the order in which they go, one call each. */
async function drainOwners(stage: Stage, count: number): Promise<string[]> {
  const owners: string[] = [];
  while (owners.length < count) {
    const [job] = (await stage.release("email", 1, { messages: 1 })).jobs;
    if (!job) break;
    const pairs = job.messages.map(([id, number]) => ({ id, release: number }));
    await stage.begin(pairs);
    await stage.settle(pairs, "sent");
    for (const { id } of pairs) owners.push((await stage.redis.get(`${stage.cell}m:${id}`))?.split(" ")[1] ?? "");
  }
  return owners;
}
