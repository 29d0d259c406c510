import { describe, expect, it } from "@jest/globals";
import { milliseconds, minutes } from "../../src/domain/time.ts";
import { gathered } from "../../src/gate/gathered.ts";

describe("a word that is said again and again", () => {
  it("is passed on after so many times, and no timer is left behind", () => {
    let passed = 0;
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const before = timers();
    const say = gathered(3, minutes(1), () => passed++);
    for (let times = 0; times < 7; times++) say();
    expect(passed).toBe(2);
    expect(timers()).toBe(before + 1);
    say();
    say();
    expect(passed).toBe(3);
    expect(timers()).toBe(before);
  });

  it("is passed on soon where it is not said so often, and counted anew from then on", async () => {
    let pass = (): void => {};
    const say = gathered(2, milliseconds(1), () => pass());
    for (let times = 0; times < 2; times++) {
      const passed = new Promise<void>((resolve) => {
        pass = resolve;
      });
      say();
      await passed;
    }
  });

  it("waits for nobody where one is enough", () => {
    let passed = 0;
    const say = gathered(1, minutes(1), () => passed++);
    say();
    expect(passed).toBe(1);
  });
});
