import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { checkConfig } from "../../config/check.ts";
import { loadPlans } from "../../config/plans.ts";
import { ConfigError } from "../../config/problem.ts";
import { loadSeeds } from "../../config/seed.ts";

const fixtures = fileURLToPath(new URL("fixtures/config/", import.meta.url));
const example = fileURLToPath(new URL("../../config/accounts.example.yaml", import.meta.url));

/** The sentences that a bad file must be answered with stand at its head, as comments. */
const badFiles = (directory: string): readonly (readonly [string, string])[] =>
  readdirSync(join(fixtures, directory)).map((name) => [name, join(fixtures, directory, name)] as const);

const sentencesIn = (file: string): readonly string[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("# "))
    .map((line) => line.slice(2))
    .sort();

const problemsOf = (load: () => unknown): readonly string[] => {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe("plans", () => {
  it("of the project can be read, each tighter than the next", () => {
    const plans = loadPlans();
    expect([...plans.keys()]).toEqual(["free", "starter", "scale"]);
    expect([...plans.values()].map((plan) => [plan.quotas.email?.hour, plan.weight, plan.apiLimit?.minute])).toEqual([
      [20, 1, 60],
      [1000, 2, 300],
      [50000, 5, 3000],
    ]);
  });

  it.each(badFiles("bad-plans"))("in %s are refused in so many words", (_, file) => {
    const problems = problemsOf(() => loadPlans(file, "plans.yaml"));
    expect([...problems].sort()).toEqual(sentencesIn(file).map((sentence) => `plans.yaml: ${sentence}`));
    expect(problems).not.toEqual([]);
  });
});

describe("the seed file", () => {
  const plans = ["free", "starter", "scale"];

  it("of the example can be read", () => {
    expect(loadSeeds(example, plans)).toEqual([
      { name: "Kathmandu Post Office", timezone: "Asia/Kathmandu", quotas: { email: { hour: 5 } } },
      {
        name: "Lisbon Pharmacy",
        timezone: "Europe/Lisbon",
        plan: "starter",
        quotas: { sms: { hour: 60, day: null }, all: { month: 50000 } },
        weight: 3,
        onUncertain: { sms: "hold" },
      },
    ]);
  });

  it.each(badFiles("bad-accounts"))("in %s is refused in so many words", (_, file) => {
    const problems = problemsOf(() => loadSeeds(file, plans, "a.yaml"));
    expect([...problems].sort()).toEqual(sentencesIn(file).map((sentence) => `a.yaml: ${sentence}`));
    expect(problems).not.toEqual([]);
  });

  it("that is not there stops the start", () => {
    expect(problemsOf(() => loadSeeds("/nowhere/a.yaml", plans))).toEqual([
      "/nowhere/a.yaml: expected a file that can be read, got ENOENT",
    ]);
  });
});

describe("npm run config:check", () => {
  it("says what is right, and leaves the seed file alone when there is none", () => {
    const { good, wrong } = checkConfig({}, null);
    expect(good.slice(0, 2)).toEqual(["ok  environment", "ok  config/plans.yaml: free, starter, scale"]);
    expect(good.slice(2, -1).every((line) => line.startsWith("ok  config/policies/"))).toBe(true);
    expect(good.at(-1)).toBe("ok  API limits by the policy sluice");
    expect(wrong).toEqual([]);
  });

  it("takes the seed file from SLUICE_ACCOUNTS_FILE, or the one it is given", () => {
    const named = `ok  ${example}: 2 accounts`;
    expect(checkConfig({ SLUICE_ACCOUNTS_FILE: example }, null).good).toContain(named);
    expect(checkConfig({ SLUICE_ACCOUNTS_FILE: "/nowhere" }, example)).toMatchObject({ wrong: [] });
    expect(checkConfig({}, example).good).toContain(named);
  });

  it("tells of everything that is wrong, in the environment and in each file", () => {
    const seeds = join(fixtures, "bad-accounts/negative-quota.yaml");
    const sentence = "expected a whole number from 0 to 2592000000000 or null, got -5";
    expect(checkConfig({ PORT: "x" }, seeds).wrong).toEqual([
      'PORT: expected a whole number from 0 to 65535, got "x"',
      `${seeds}: accounts[2].quotas.email.hour: ${sentence}`,
    ]);
  });

  it("does not call the plans of accounts unknown when the plans cannot be read", () => {
    const plansFile = join(fixtures, "bad-plans/negative-quota.yaml");
    expect(checkConfig({}, example, plansFile).wrong).toEqual([
      `${plansFile}: free.quotas.email.hour: expected a whole number from 0 to 2592000000000 or null, got -1`,
    ]);
  });
});
