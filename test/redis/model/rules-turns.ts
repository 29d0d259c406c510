/** How long turns are where messages go in parcels: rounds stay quick, and everybody's share is the same. */
import { expect } from "@jest/globals";
import type { Stage } from "../../support/gate-stage.ts";
import type { Rule } from "./rule.ts";

interface Waiting {
  readonly owners: Map<string, string>;
  readonly weights: Readonly<Record<string, number>>;
}

const everybody = async (stage: Stage, weights: Waiting["weights"]): Promise<Waiting> => {
  const owners = new Map<string, string>();
  for (const [account, weight] of Object.entries(weights)) {
    await stage.account(account, { weight });
    for (const id of await stage.put(account, 600)) owners.set(id, account);
  }
  return { owners, weights };
};

/** Whose messages one call lets go, in order; all of them are sent. */
const call = async (stage: Stage, { owners }: Waiting, messages = 100): Promise<string[]> => {
  const pairs = (await stage.release("email", 25, { messages })).jobs.flatMap((job) =>
    job.messages.map(([id, number]) => ({ id, release: number })),
  );
  await stage.begin(pairs);
  await stage.settle(pairs, "sent");
  return pairs.map(({ id }) => owners.get(id) ?? "");
};

/** `a a a b b` as `["a3", "b2"]`. */
const runs = (order: readonly string[]): string[] => {
  const found: { owner: string; count: number }[] = [];
  for (const owner of order) {
    const last = found.at(-1);
    if (last?.owner === owner) last.count++;
    else found.push({ owner, count: 1 });
  }
  return found.map(({ owner, count }) => `${owner}${count}`);
};

export const TURNS: readonly Rule[] = [
  {
    of: "12",
    name: "in parcels turns grow to sixteen while rounds are quick, the same for all in a round, and shrink when one was slow",
    stage: { hands: 60 },
    check: async (stage) => {
      const waiting = await everybody(stage, { a: 1, b: 1, c: 1 });
      expect(runs(await call(stage, waiting, 84))).toEqual(["a4", "b4", "c4", "a8", "b8", "c8", "a16", "b16", "c16"]);
      expect(runs(await call(stage, waiting, 48))).toEqual(["a16", "b16", "c16"]);
      await stage.at(250);
      expect(runs(await call(stage, waiting, 24))).toEqual(["a8", "b8", "c8"]);
      await stage.at(600);
      expect(runs(await call(stage, waiting, 12))).toEqual(["a4", "b4", "c4"]);
      await stage.at(750);
      expect(runs(await call(stage, waiting, 12))).toEqual(["a4", "b4", "c4"]);
      await stage.at(800);
      expect(runs(await call(stage, waiting, 24))).toEqual(["a8", "b8", "c8"]);
      await stage.at(950);
      expect(runs(await call(stage, waiting, 24))).toEqual(["a8", "b8", "c8"]);
    },
    without: [
      {
        script: "release",
        find: "turn = math.min(2 * turn, LONGEST_TURN)",
        replace: "turn = math.min(turn, LONGEST_TURN)",
      },
      { script: "release", find: "math.min(2 * turn, LONGEST_TURN)", replace: "2 * turn" },
      { script: "release", find: "turn = math.max(turn / 2, TURN)", replace: "turn = turn" },
      { script: "release", find: "math.max(turn / 2, TURN)", replace: "turn / 2" },
      { script: "release", find: "if tonumber(number) > (f.round_till or 0) then", replace: "do" },
      { script: "release", find: "if took > 2 * QUICK_ROUND", replace: "if took > QUICK_ROUND" },
    ],
  },
  {
    of: "12",
    name: "in parcels shares are by weight, however long turns become, and whenever a call ends",
    stage: { hands: 60 },
    check: async (stage) => {
      const waiting = await everybody(stage, { a: 1, b: 2, c: 1 });
      const order: string[] = [];
      for (let n = 0; order.length < 800; n++) {
        await stage.at(n * (n % 7 < 4 ? 30 : 220));
        order.push(...(await call(stage, waiting, 37)));
      }
      const share = (account: string): number => order.filter((owner) => owner === account).length / order.length;
      expect([share("a"), share("b"), share("c")].map((each) => Math.round(each * 20))).toEqual([5, 10, 5]);
    },
    without: [
      {
        script: "release",
        find: "turn_in(ring, number, now, stat, size > 1)) * weight",
        replace: "turn_in(ring, number, now, stat, size > 1))",
      },
    ],
  },
  {
    of: "12",
    name: "one by one, and of what is urgent, turns stay short",
    stage: { hands: 60 },
    check: async (stage) => {
      await stage.account("a");
      await stage.account("b");
      const owners = new Map<string, string>();
      for (const account of ["a", "b"])
        for (const id of await stage.put(account, 120, { class: "high" })) owners.set(id, account);
      const waiting = { owners, weights: {} };
      await call(stage, waiting, 8);
      expect(await stage.fields("ac:a:email")).not.toHaveProperty("credit_h", expect.stringMatching(/^[4-9]|\d\d/));
      for (let n = 0; n < 4; n++) await call(stage, waiting, 7);
      expect(await stage.fields("ac:a:email")).not.toHaveProperty("credit_h", expect.stringMatching(/^[4-9]|\d\d/));
    },
    without: [{ script: "release", find: "if ring == 'h' or not in_parcels then", replace: "if not in_parcels then" }],
  },
];
