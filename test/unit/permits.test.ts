import { describe, expect, it } from "@jest/globals";
import { handsOf } from "../../workers/permits.ts";

const never = new AbortController().signal;
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** The numbers of those that have been given a hand, as they come. */
const asking = (hands: ReturnType<typeof handsOf>, count: number): number[] => {
  const taken: number[] = [];
  for (let n = 0; n < count; n++) void hands.take().then((isTaken) => isTaken && taken.push(n));
  return taken;
};

describe("hands", () => {
  it("are given in the order of asking, never more than there are", async () => {
    const hands = handsOf(2, never);
    const taken = asking(hands, 4);
    await turn();
    expect(taken).toEqual([0, 1]);
    hands.free();
    await turn();
    expect(taken).toEqual([0, 1, 2]);
    hands.free();
    await turn();
    expect(taken).toEqual([0, 1, 2, 3]);
  });

  it("take no more while two for each are open, free or not", async () => {
    const hands = handsOf(1, never);
    const taken = asking(hands, 4);
    for (let times = 0; times < 2; times++) {
      await turn();
      hands.free();
    }
    await turn();
    expect(taken).toEqual([0, 1]);
    hands.close();
    await turn();
    expect(taken).toEqual([0, 1, 2]);
  });

  it("are not waited for any longer once it is called off, and none is given from then on", async () => {
    const over = new AbortController();
    const hands = handsOf(1, over.signal);
    expect(await hands.take()).toBe(true);
    const waiting = [hands.take(), hands.take()];
    over.abort();
    expect(await Promise.all(waiting)).toEqual([false, false]);
    hands.free();
    hands.close();
    expect(await hands.take()).toBe(false);
  });
});
