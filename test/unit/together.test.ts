import { describe, expect, it } from "@jest/globals";
import { milliseconds } from "../../src/domain/time.ts";
import { together } from "../../src/redis/together.ts";

const latch = () => {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
};

describe("calls made together", () => {
  it("share one call when they are asked for in the same turn, each with its own answer, in order", async () => {
    const groups: number[][] = [];
    const double = together<number, number>(async (items) => {
      groups.push([...items]);
      return items.map((item) => 2 * item);
    }, 50);
    expect(await Promise.all([1, 2, 3].map((item) => double(item)))).toEqual([2, 4, 6]);
    expect(groups).toEqual([[1, 2, 3]]);
  });

  it("leave at once when their call is full: there is nothing to wait for", async () => {
    const groups: number[][] = [];
    const ask = together<number, number>(async (items) => {
      groups.push([...items]);
      return [...items];
    }, 2);
    const asked = [1, 2, 3].map((item) => ask(item));
    expect(groups).toEqual([[1, 2]]);
    expect(await Promise.all(asked)).toEqual([1, 2, 3]);
    expect(groups).toEqual([[1, 2], [3]]);
  });

  it("gather while one is under way, and go out in the order in which they were asked for, no more than so many", async () => {
    const groups: number[][] = [];
    const held = latch();
    const ask = together<number, number>(async (items) => {
      groups.push([...items]);
      if (groups.length === 1) await held.opened;
      return [...items];
    }, 3);
    const asked = [ask(0)];
    await new Promise(setImmediate);
    asked.push(ask(1), ask(2));
    await new Promise(setImmediate);
    expect(groups).toEqual([[0]]);
    held.open();
    expect(await Promise.all(asked)).toEqual([0, 1, 2]);
    expect(groups).toEqual([[0], [1, 2]]);
  });

  it("go beside one that is under way when their call is full, and beside no more than one", async () => {
    const groups: number[][] = [];
    const held = latch();
    const ask = together<number, number>(async (items) => {
      groups.push([...items]);
      if (groups.length <= 2) await held.opened;
      return [...items];
    }, 3);
    const asked = [ask(0)];
    await new Promise(setImmediate);
    asked.push(...[1, 2, 3, 4, 5, 6, 7].map((item) => ask(item)));
    await new Promise(setImmediate);
    expect(groups).toEqual([[0], [1, 2, 3]]);
    held.open();
    expect(await Promise.all(asked)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(groups).toEqual([[0], [1, 2, 3], [4, 5, 6], [7]]);
  });

  it("do not gather for as long as one takes that waits for something else: the next goes beside it", async () => {
    const groups: number[][] = [];
    const [held, second] = [latch(), latch()];
    const ask = together<number, number>(async (items) => {
      groups.push([...items]);
      if (groups.length === 1) await held.opened;
      else second.open();
      return [...items];
    }, 50);
    const asked = [ask(0)];
    await new Promise(setImmediate);
    asked.push(ask(1), ask(2));
    await second.opened;
    expect(groups).toEqual([[0], [1, 2]]);
    expect(await Promise.all(asked.slice(1))).toEqual([1, 2]);
    held.open();
    expect(await asked[0]).toBe(0);
  });

  it("go when they have become full meanwhile and the other of two has ended", async () => {
    const groups: number[][] = [];
    const [first, others] = [latch(), latch()];
    const ask = together<number, number>(async (items) => {
      groups.push([...items]);
      await (groups.length === 1 ? first : others).opened;
      return [...items];
    }, 2);
    const asked = [1, 2, 3, 4, 5, 6].map((item) => ask(item));
    expect(groups).toEqual([
      [1, 2],
      [3, 4],
    ]);
    first.open();
    await asked[1];
    await new Promise(setImmediate);
    expect(groups).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    others.open();
    expect(await Promise.all(asked)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("wait for others as long as the first of them may, and not once there are enough", async () => {
    const groups: number[][] = [];
    const ask = together<number, number>(async (items) => {
      groups.push([...items]);
      return [...items];
    }, 3);
    const patient = [ask(0, milliseconds(3_600_000)), ask(1)];
    await new Promise(setImmediate);
    expect(groups).toEqual([]);
    expect(await Promise.all([...patient, ask(2)])).toEqual([0, 1, 2]);
    expect(groups).toEqual([[0, 1, 2]]);
    expect(await ask(3, milliseconds(2))).toBe(3);
  });

  it("fail together when the call fails, and those asked for later do not", async () => {
    let away = true;
    const ask = together<number, number>(async (items) => {
      if (away) throw new Error("Connection is closed.");
      return [...items];
    }, 50);
    const asked = await Promise.allSettled([ask(1), ask(2)]);
    expect(asked.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    away = false;
    expect(await ask(3)).toBe(3);
  });

  it("where that is wanted, fail with those that wait for their turn: nobody waits for one failure after the other", async () => {
    let calls = 0;
    let away = true;
    const held = latch();
    const ask = together<number, number>(
      async (items) => {
        calls++;
        await held.opened;
        if (away) throw new Error("Command timed out");
        return [...items];
      },
      1,
      "all",
    );
    const asked = Promise.allSettled([1, 2, 3, 4, 5].map((item) => ask(item)));
    await new Promise(setImmediate);
    held.open();
    expect((await asked).map(({ status }) => status)).toEqual(Array(5).fill("rejected"));
    expect(calls).toBe(2);
    away = false;
    expect(await ask(6)).toBe(6);
  });

  it("are tried alone when the script itself could not do one of them: only that one fails", async () => {
    const ask = together<number, number>(async (items) => {
      if (items.includes(2))
        throw new Error("ERR user_script:7: attempt to index a nil value script: 12, on @user_script:7.");
      return [...items];
    }, 50);
    const asked = await Promise.allSettled([1, 2, 3].map((item) => ask(item)));
    expect(asked.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });

  it("fail when the call does not answer for each", async () => {
    const ask = together<number, number>(async () => [1], 50);
    const asked = await Promise.allSettled([ask(1), ask(2)]);
    expect(asked.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  });
});
