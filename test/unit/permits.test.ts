import { describe, expect, it } from "@jest/globals";
import { permitsOf, type Permit } from "../../workers/permits.ts";

const never = new AbortController().signal;

describe("hands", () => {
  it("are given in the order of asking, never more than there are, and each once however often it is given back", async () => {
    const hands = permitsOf(2, never);
    const taken: (Permit | null)[] = [];
    const asking = [0, 1, 2, 3].map((n) => hands.take().then((permit) => (taken[n] = permit)));
    await new Promise(setImmediate);
    expect(Object.keys(taken)).toEqual(["0", "1"]);
    for (let times = 0; times < 3; times++) taken[0]?.give();
    await new Promise(setImmediate);
    expect(Object.keys(taken)).toEqual(["0", "1", "2"]);
    taken[1]?.give();
    await Promise.all(asking);
    expect(Object.keys(taken)).toEqual(["0", "1", "2", "3"]);
  });

  it("are not waited for any longer once it is called off, and none is given from then on", async () => {
    const over = new AbortController();
    const hands = permitsOf(1, over.signal);
    const first = await hands.take();
    expect(first).not.toBeNull();
    const waiting = [hands.take(), hands.take()];
    over.abort();
    expect(await Promise.all(waiting)).toEqual([null, null]);
    first?.give();
    expect(await hands.take()).toBeNull();
  });
});
