import { describe, expect, it } from "@jest/globals";
import { shared } from "../../src/redis/shared.ts";

describe("a shared question", () => {
  it("is asked once for all who come while it is under way, and anew for those after", async () => {
    const asked: ((answer: number) => void)[] = [];
    const ask = shared(() => new Promise<number>((resolve) => asked.push(resolve)));
    const first = [ask(), ask(), ask()];
    expect(asked).toHaveLength(1);
    asked[0]?.(1);
    expect(await Promise.all(first)).toEqual([1, 1, 1]);
    const second = ask();
    asked[1]?.(2);
    expect(await second).toBe(2);
  });

  it("that fails fails for all of them, and is asked anew", async () => {
    let tries = 0;
    const ask = shared(async () => {
      if (++tries === 1) throw new Error("away");
      return tries;
    });
    const results = await Promise.allSettled([ask(), ask()]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await ask()).toBe(2);
  });
});
