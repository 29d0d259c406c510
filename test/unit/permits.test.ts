import { describe, expect, it } from "@jest/globals";
import { permitsOf } from "../../workers/permits.ts";

const never = new AbortController().signal;

describe("hands", () => {
  it("are given in the order of asking, never more than there are", async () => {
    const hands = permitsOf(2, never);
    const taken: number[] = [];
    const asking = [0, 1, 2, 3].map((n) => hands.take().then((is) => is && taken.push(n)));
    await new Promise(setImmediate);
    expect(taken).toEqual([0, 1]);
    hands.give();
    await new Promise(setImmediate);
    expect(taken).toEqual([0, 1, 2]);
    hands.give();
    await Promise.all(asking);
    expect(taken).toEqual([0, 1, 2, 3]);
  });

  it("are not waited for any longer once it is called off, and none is lost by that", async () => {
    const over = new AbortController();
    const hands = permitsOf(1, over.signal);
    expect(await hands.take()).toBe(true);
    const waiting = [hands.take(), hands.take()];
    over.abort();
    expect(await Promise.all(waiting)).toEqual([false, false]);
    hands.give();
    expect(await hands.take()).toBe(false);
  });
});
