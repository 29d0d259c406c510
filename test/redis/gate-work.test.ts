/** What the gate costs: work in proportion to what is sent, never to what waits. Judged by work done, not by time. */
import { describe, expect, it } from "@jest/globals";
import { gateStages } from "../support/gate-cell.ts";
import { HOUR, type Stage } from "../support/gate-stage.ts";
import { serve, type Demand } from "./model/serving.ts";

const settled = async (stage: Stage): Promise<{ calls: number; looked: number; released: number }> => {
  const work = { calls: 0, looked: 0, released: 0 };
  for (;;) {
    const reply = await stage.release();
    work.calls++;
    work.looked += reply.looked;
    work.released += reply.released;
    const pairs = reply.jobs.flatMap((job) => job.messages.map(([id, number]) => ({ id, release: number })));
    await stage.begin(pairs);
    await stage.settle(pairs, "sent");
    if (pairs.length === 0 && !reply.more) return work;
  }
};

describe("the work of the gate", () => {
  const aStage = gateStages();

  it("behind 100,000 waiting messages of blocked accounts, lets a fresh account go after one look each", async () => {
    const stage = await aStage();
    for (let i = 0; i < 100; i++) {
      await stage.account(`a${i}`);
      await stage.limit(`A|a${i}`, { hour: i % 2 });
      await stage.put(`a${i}`, 1_000, { class: i % 3 === 0 ? "high" : "low", sender: `s${i % 7}@x.org` });
    }
    const first = await settled(stage);
    expect(first.released).toBe(50);
    // Fifty served and looked at again, fifty found blocked, a hundred urgent or bulk rings left.
    expect(first.looked).toBeLessThanOrEqual(250);
    expect(await settled(stage)).toEqual({ calls: 1, looked: 0, released: 0 });
    await stage.account("fresh");
    await stage.put("fresh", 1);
    const reply = await stage.release();
    expect([reply.looked, reply.released, reply.more]).toEqual([1, 1, false]);
  });

  it("at the top of the hour looks once at what was held up, however deep the lanes", async () => {
    const stage = await aStage();
    for (let i = 0; i < 40; i++) {
      await stage.account(`a${i}`);
      await stage.limit(`A|a${i}`, { hour: 1 });
      await stage.put(`a${i}`, 100);
    }
    await settled(stage);
    await stage.at(HOUR);
    const work = await settled(stage);
    expect(work.released).toBe(40);
    expect(work.looked).toBeLessThanOrEqual(80);
  });

  it("lets others go beside an account's ten thousand messages that become due at one instant", async () => {
    const stage = await aStage({ hands: 50 });
    await stage.account("many");
    await stage.account("other");
    await stage.put("many", 10_000, { sendAt: HOUR });
    await stage.at(HOUR);
    await stage.put("other", 1, { class: "high" });
    const { jobs } = await stage.release("email", 25);
    expect(jobs.flatMap(({ messages }) => messages.map(([id]) => id))).toContain("m10001");
  });

  it("drops ten thousand canceled messages of one account beside what others have", async () => {
    const stage = await aStage({ hands: 50 });
    await stage.account("canceled");
    await stage.account("other");
    const ids = await stage.put("canceled", 10_001);
    for (let from = 0; from < 10_000; from += 100) await stage.cancel(...ids.slice(from, from + 100));
    await stage.put("other", 1);
    const first = await stage.release();
    const second = await stage.release();
    expect(first.released + second.released).toBe(1);
    expect((await settled(stage)).released).toBe(1);
  });

  it.each<[string, Demand[]]>([
    ["equal accounts", [{}, {}, {}]],
    ["weights", [{ weight: 1 }, { weight: 2 }, { weight: 5 }]],
    ["fifty senders", [{ senders: 50 }, {}, {}]],
    ["one all urgent", [{ highEvery: 1 }, {}, {}, {}]],
    ["some urgent", [{ highEvery: 3 }, { highEvery: 10, weight: 2 }, {}, { weight: 5 }]],
  ])(
    "takes at most 1.5 looks per message with %s, and never a bulk before an urgent one of its account",
    async (_, demands) => {
      const stage = await aStage();
      const { looked, order, lowBeforeHigh } = await serve(stage, demands, 400, 4);
      expect(looked / order.length).toBeLessThanOrEqual(1.5);
      expect(lowBeforeHigh).toBe(0);
    },
  );
});
