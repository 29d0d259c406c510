import { describe, expect, it } from "@jest/globals";
import { FAULT_POINTS, faultPoints, parseFault } from "../../src/domain/fault-point.ts";

describe("a point to die at", () => {
  it("is reached at the n-th pass of that very point, once", () => {
    const deaths: string[] = [];
    const pass = faultPoints({ point: "worker.begun", nth: 2 }, () => deaths.push("dead"));
    pass("worker.begun");
    pass("worker.fetched");
    pass("worker.fetched");
    expect(deaths).toEqual([]);
    pass("worker.begun");
    expect(deaths).toEqual(["dead"]);
    pass("worker.begun");
    expect(deaths).toEqual(["dead"]);
  });

  it("is nowhere when none is set", () => {
    const pass = faultPoints(null, () => {
      throw new Error("died");
    });
    for (const point of FAULT_POINTS) expect(() => pass(point)).not.toThrow();
  });

  it.each(FAULT_POINTS)("can be named: %s", (point) => {
    expect(parseFault(`${point}:3`)).toEqual({ point, nth: 3 });
  });

  it.each([
    "",
    "worker.begun",
    "worker.begun:",
    "worker.begun:0",
    "worker.begun:-1",
    "worker.begun:1.5",
    "nowhere:1",
    " worker.begun:1",
  ])("is not %j", (text) => expect(parseFault(text)).toBeUndefined());
});
