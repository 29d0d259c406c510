import { describe, expect, it } from "@jest/globals";
import { milliseconds } from "../../src/domain/time.ts";
import { inTimeOf } from "../../workers/in-time.ts";

const [SHORT, LONG] = [milliseconds(5), milliseconds(60_000)];
const told = (over: AbortSignal): Promise<string> =>
  new Promise((resolve) => over.addEventListener("abort", () => resolve(`told: ${over.reason.name}`)));

describe("an attempt in its time", () => {
  it("answers for itself, and leaves no timer behind", async () => {
    const before = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    expect(await inTimeOf(LONG, LONG)("late", async () => "answered")).toBe("answered");
    expect(process.getActiveResourcesInfo().filter((kind) => kind === "Timeout")).toHaveLength(before);
  });

  it("is told when its time is up, and its answer then still counts", async () => {
    expect(await inTimeOf(SHORT, LONG)("late", told)).toBe("told: TimeoutError");
  });

  it("is given up when it does not answer even then", async () => {
    expect(await inTimeOf(SHORT, SHORT)("late", () => new Promise<string>(() => {}))).toBe("late");
  });

  it.each<[string, () => Promise<string>]>([
    ["fails", () => Promise.reject(new Error("no"))],
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
  ])("that %s is as one that does not answer, and at once", async (_, act) => {
    expect(await inTimeOf(LONG, LONG)("late", act)).toBe("late");
  });

  it("has a signal that is its own: not that of one under way, and none that has been given", async () => {
    const inTime = inTimeOf(SHORT, LONG);
    const seen: AbortSignal[] = [];
    const watched = (act: (over: AbortSignal) => Promise<string>) => (over: AbortSignal) => {
      seen.push(over);
      expect(over.aborted).toBe(false);
      return act(over);
    };
    await inTime(
      "late",
      watched(async () => "answered"),
    );
    await Promise.all([inTime("late", watched(told)), inTime("late", watched(told))]);
    await inTime("late", watched(told));
    expect(new Set(seen.slice(1)).size).toBe(3);
  });
});
