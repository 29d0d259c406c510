import { describe, expect, it } from "@jest/globals";
import { newLedger } from "../../bench/ledger.ts";
import { requestsOf } from "../../bench/messages.ts";
import { atOnce, likeAProvider } from "../../bench/provider.ts";
import { figure, isMet, lineOf, markdownOf, median, percentile, verdictOf } from "../../bench/report.ts";
import { inRounds, ratios } from "../../bench/rounds.ts";
import { sized, type Measured } from "../../bench/row.ts";

const row = (more: Partial<Measured>): Measured => ({
  kind: "measured",
  name: "pipeline-c100-to-bare-20k",
  values: [0.9, 0.8, 1.2],
  unit: "×",
  note: "",
  ...more,
});

describe("a benchmark's figures", () => {
  it.each([
    [[3], 3],
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
    [[10, 9, 100], 10],
  ])("of %j have the median %d", (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it.each([
    [0, 1],
    [25, 2],
    [50, 3],
    [99, 4.96],
    [100, 5],
  ])("have their %d percent point between the nearest ranks", (p, expected) => {
    expect(percentile([5, 3, 1, 4, 2], p)).toBeCloseTo(expected, 10);
  });

  it("are refused when there are none", () => {
    expect(() => median([])).toThrow(/at least one/);
  });

  it("leave the values in their order", () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it.each([
    [12_345.6, "12,346"],
    [100.4, "100"],
    [12.34, "12.3"],
    [0.834, "0.83"],
    [0, "0.00"],
    [-250.4, "-250"],
  ])("of %d read %s", (value, text) => {
    expect(figure(value)).toBe(text);
  });

  it("are divided round by round", () => {
    expect(ratios([10, 9, 8], [5, 3, 4])).toEqual([2, 3, 2]);
  });

  it.each([
    [400, "400"],
    [1_000, "1k"],
    [2_500, "2.5k"],
    [20_000, "20k"],
    [1_000_000, "1m"],
    [1_500_000, "1.5m"],
    [12_345, "12345"],
  ])("for %d messages are named %s", (count, text) => {
    expect(sized(count)).toBe(text);
  });
});

describe("a row", () => {
  it.each([
    [{ atLeast: 0.9 }, "ok"],
    [{ atLeast: 0.91 }, "short"],
    [{ atMost: 0.9 }, "ok"],
    [{ atMost: 0.89 }, "short"],
  ] as const)("with a must of %j is %s: its median decides, on the bound itself as well", (must, verdict) => {
    expect(verdictOf(row({ must }))).toBe(verdict);
    expect(isMet(0.9, must)).toBe(verdict === "ok");
  });

  it("that misses its aim only is ok", () => {
    expect(verdictOf(row({ must: { atLeast: 0.8 }, aim: { atLeast: 2 } }))).toBe("ok");
  });

  it("tells its median, its range, what it must be, what it should be, and the verdict", () => {
    const line = lineOf(row({ must: { atLeast: 0.8 }, aim: { atLeast: 2 } }));
    expect(line.split(/ {2,}/)).toEqual(["pipeline-c100-to-bare-20k", "0.90 [0.80–1.20] ×", "≥0.80", "≥2.00", "ok"]);
  });

  it("that is short says so last", () => {
    expect(lineOf(row({ must: { atMost: 0.5 } }))).toMatch(/≤0\.50\s+–\s+short$/);
  });

  it.each([
    ["of a peer's figure", row({})],
    ["that was skipped", { kind: "skipped", name: "mail", why: "Postfix is not installed here" }],
    ["that failed", { kind: "failed", name: "mail", why: "3 messages did not arrive" }],
  ] as const)("%s has neither verdict", (_, told) => {
    expect(lineOf(told)).not.toMatch(/\b(ok|short)\b/);
  });

  it("of one value has no range", () => {
    expect(lineOf(row({ values: [776], unit: "B" })).split(/ {2,}/)[1]).toBe("776 B");
  });

  it("is a row of Markdown too, with what stands behind it", () => {
    const told = [
      row({ must: { atLeast: 1 }, note: "9/s ÷ 10/s" }),
      { kind: "skipped", name: "mail", why: "no" } as const,
    ];
    expect(markdownOf(told).split("\n").slice(2)).toEqual([
      "| pipeline-c100-to-bare-20k | 0.90 [0.80–1.20] × | ≥1.00 | – | short | 9/s ÷ 10/s |",
      "| mail | skipped: no |  |  |  |  |",
    ]);
  });

  it("that was skipped says why", () => {
    expect(lineOf({ kind: "skipped", name: "mail", why: "Postfix is not installed here" })).toMatch(
      /^mail +skipped: Postfix is not installed here$/,
    );
  });
});

describe("rounds", () => {
  it("let everybody play in each, begin with another one each time, and forget the first", async () => {
    const played: string[] = [];
    const playing = (name: string) => async () => {
      played.push(name);
      return played.length;
    };
    const figures = await inRounds(2, { a: playing("a"), b: playing("b"), c: playing("c") });
    expect(played.join("")).toBe("abcbcacab");
    expect(figures).toEqual({ a: [6, 8], b: [4, 9], c: [5, 7] });
  });
});

describe("the ledger of a benchmark", () => {
  const after = (arrivals: readonly number[], count: number, limit: number) => (): void => {
    const ledger = newLedger(10);
    for (const n of arrivals) ledger.arrive(0, n);
    ledger.judge(count, limit);
  };

  it("is content when each message arrived once", () => {
    expect(after([0, 2, 1], 3, 3)).not.toThrow();
  });

  it.each([
    ["a message that is missing", [0, 2], /1 messages did not arrive, among them 1/],
    ["one that came twice", [0, 1, 2, 1], /1 messages arrived more than once, among them 1/],
  ])("fails for %s", (_, arrivals, why) => {
    expect(after(arrivals, 3, 9)).toThrow(why);
  });

  it("fails for an account that sent more than its window allows", () => {
    expect(after([0, 1, 2], 3, 2)).toThrow("account 0 sent 3 in a window of 2");
  });

  it("says how many have arrived when it is waited for in vain", async () => {
    const ledger = newLedger(3);
    ledger.arrive(0, 0);
    await expect(ledger.reached(2, 1)).rejects.toThrow("only 1 of 2");
  });
});

describe("the load of a benchmark", () => {
  it.each([
    [20_000, 100, 200],
    [4_000, 100, 200],
    [1_000, 7, 200],
    [5, 100, 200],
  ])("of %d messages of %d accounts carries each message once", (messages, accounts, size) => {
    const requests = requestsOf(messages, accounts, size);
    expect(requests.flatMap(({ numbers }) => numbers)).toEqual(Array.from({ length: messages }, (_, n) => n));
    expect(Math.max(...requests.map(({ numbers }) => numbers.length))).toBeLessThanOrEqual(size);
    expect(Math.max(...requests.map(({ account }) => account))).toBeLessThan(accounts);
  });

  it("meets a provider of 10 to 30 ms that takes 200 for two in a hundred, the same for everybody", () => {
    const times = Array.from({ length: 20_000 }, (_, n) => likeAProvider(n));
    const quick = times.filter((ms) => ms < 200);
    expect(times.length - quick.length).toBeGreaterThan(300);
    expect(times.length - quick.length).toBeLessThan(500);
    expect(Math.min(...quick)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...quick)).toBeLessThanOrEqual(30);
    expect(quick.reduce((sum, ms) => sum + ms, 0) / quick.length).toBeCloseTo(20, 0);
    expect(likeAProvider(7)).toBe(likeAProvider(7));
    expect(atOnce(7)).toBe(0);
  });
});
