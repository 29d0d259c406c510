import { afterAll, describe, expect, it } from "@jest/globals";
import { testRedis } from "../support/redis.ts";

describe("the test server", () => {
  const opened: Array<{ close(): Promise<void> }> = [];
  afterAll(async () => {
    await Promise.all(opened.map((one) => one.close()));
  });

  it("gives every file a cell of its own, whose keys go when it is closed", async () => {
    const [one, two] = await Promise.all([testRedis(), testRedis()]);
    opened.push(two);
    await one.connect().set(`${one.cell}a`, "1");
    await two.connect().set(`${two.cell}a`, "2");
    await one.close();
    expect(one.cell).not.toBe(two.cell);
    expect(await two.connect().mget(`${one.cell}a`, `${two.cell}a`)).toEqual([null, "2"]);
  });
});
