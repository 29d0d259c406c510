import { describe, expect, it } from "@jest/globals";
import { handsOf } from "../../workers/hands.ts";

const never = new AbortController().signal;
const takenOf = (hands: ReturnType<typeof handsOf>, most: number): number => {
  let taken = 0;
  while (taken < most && hands.take()) taken++;
  return taken;
};

describe("hands", () => {
  it("are never more than there are, and each is there again when it is free", () => {
    const hands = handsOf(2, never);
    expect(takenOf(hands, 9)).toBe(2);
    hands.free();
    expect(takenOf(hands, 9)).toBe(1);
    hands.free();
    hands.close();
    expect(takenOf(hands, 9)).toBe(1);
  });

  it("take no more while two for each are open, free or not", () => {
    const hands = handsOf(1, never);
    for (let times = 0; times < 2; times++) {
      expect(takenOf(hands, 9)).toBe(1);
      hands.free();
    }
    expect(hands.take()).toBe(false);
    hands.close();
    expect(takenOf(hands, 9)).toBe(1);
  });

  it("tell who waits when there is one, whichever was missing: a hand, or room for what is open", async () => {
    const hands = handsOf(1, never);
    hands.take();
    const isFree = hands.change();
    hands.free();
    await isFree;
    hands.take();
    hands.free();
    const hasRoom = hands.change();
    hands.close();
    await hasRoom;
    expect(hands.take()).toBe(true);
  });

  it("are not waited for any longer once it is called off, and none is taken from then on", async () => {
    const over = new AbortController();
    const hands = handsOf(1, over.signal);
    const changed = hands.change();
    over.abort();
    await changed;
    expect(hands.take()).toBe(false);
  });
});
