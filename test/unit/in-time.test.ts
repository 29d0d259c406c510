import { describe, expect, it } from "@jest/globals";
import { milliseconds } from "../../src/domain/time.ts";
import { inTime } from "../../workers/in-time.ts";

const [SHORT, LONG] = [milliseconds(5), milliseconds(60_000)];

describe("an attempt in its time", () => {
  it("answers for itself, and leaves no timer behind", async () => {
    const before = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    expect(await inTime(LONG, LONG, "late", async () => "answered")).toBe("answered");
    expect(process.getActiveResourcesInfo().filter((kind) => kind === "Timeout")).toHaveLength(before);
  });

  it("is told when its time is up, and its answer then still counts", async () => {
    const answer = await inTime(
      SHORT,
      LONG,
      "late",
      (over) =>
        new Promise<string>((resolve) => over.addEventListener("abort", () => resolve(`told: ${over.reason.name}`))),
    );
    expect(answer).toBe("told: TimeoutError");
  });

  it("is given up when it does not answer even then", async () => {
    expect(await inTime(SHORT, SHORT, "late", () => new Promise<string>(() => {}))).toBe("late");
  });

  it("fails as it fails", async () => {
    await expect(inTime(LONG, LONG, "late", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  });
});
