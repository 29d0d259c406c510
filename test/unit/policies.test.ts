import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { checkConfig } from "../../config/check.ts";
import { loadPlans } from "../../config/plans.ts";
import { loadPolicy, policyNames } from "../../config/policies.ts";
import { ConfigError } from "../../config/problem.ts";
import { ruleFinder } from "../../src/ratelimit/rules-for.ts";

const bad = fileURLToPath(new URL("fixtures/config/bad-policies/", import.meta.url));

/** The sentences that a bad file must be answered with stand at its head, as comments. */
const sentencesIn = (file: string): readonly string[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("# "))
    .map((line) => line.slice(2));

const problemsOf = (load: () => unknown): readonly string[] => {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe("policies", () => {
  it("of the project can be read, each in the dialect of its name", () => {
    expect(policyNames().map((name) => [name, loadPolicy(name).dialect])).toEqual([
      ["ipto", "ipto"],
      ["migosmtp", "migosmtp"],
      ["mojeeb", "mojeeb"],
      ["monogoto", "monogoto"],
      ["none", "sluice"],
      ["sluice", "sluice"],
      ["tagoio", "tagoio"],
      ["telnxo", "telnxo"],
    ]);
  });

  it("limit routes that nobody knows, too, but for the one that limits nothing", () => {
    for (const name of policyNames().filter((each) => each !== "none")) {
      const rules = loadPolicy(name).layers.flatMap((layer) => layer.rules);
      expect([name, rules.some(({ routes }) => routes.some(({ text }) => text === "*"))]).toEqual([name, true]);
    }
  });

  it("hold each of the routes that hand out tokens to five a minute of an address, apart, and with next to nothing open without Redis", () => {
    for (const name of policyNames().filter((each) => each !== "none")) {
      const policy = loadPolicy(name);
      const facts = { ip: "192.0.2.7" };
      const applied = ["token", "refresh"].map((door) =>
        ruleFinder(policy)({ method: "POST", route: `/v1/auth/${door}`, facts }).filter(
          ({ whenRedisIsAway, windows }) => whenRedisIsAway === "closed" && windows.every(({ limit }) => limit === 5),
        ),
      );
      expect([name, applied.map((rules) => rules.map(({ rule }) => rule))]).toEqual([
        name,
        [["auth-token"], ["auth-refresh"]],
      ]);
      // A bucket each, and both the address's.
      const buckets = applied.map(([rule]) => rule?.name);
      expect(new Set(buckets).size).toBe(2);
      for (const bucket of buckets) expect(bucket).toContain("192.0.2.7");
    }
  });

  it("by plan know those plans of ours that are named alike", () => {
    const ours = [...loadPlans().keys()];
    const tago = loadPolicy("tagoio").layers[0]?.rules[0]?.windows[0]?.limit;
    expect(Object.keys(tago ?? {})).toEqual(ours);
  });

  it.each(readdirSync(bad))("in %s are refused in so many words", (file) => {
    const name = file.replace(".yaml", "");
    const problems = problemsOf(() => loadPolicy(name, bad));
    expect([...problems].sort()).toEqual(
      sentencesIn(bad + file)
        .map((sentence) => `${bad}${file}: ${sentence}`)
        .sort(),
    );
    expect(problems).not.toEqual([]);
  });

  it("of others are read from a folder of theirs, however it is written, and named by where they lie", () => {
    for (const folder of [bad, bad.replace(/\/$/, "")])
      expect(problemsOf(() => loadPolicy("nosuch", folder))).toEqual([
        `${bad}nosuch.yaml: expected a file that can be read, got ENOENT`,
      ]);
  });

  it("that are wrong fail the check, each named", () => {
    const { good, wrong } = checkConfig({}, null, undefined, bad);
    expect(wrong.filter((line) => line.startsWith(bad)).length).toBe(wrong.length);
    expect(wrong.length).toBeGreaterThan(20);
    expect(good.join("\n")).not.toContain("bad-policies");
    expect(checkConfig({}, null).good).toContain("ok  config/policies/sluice.yaml: 11 rules");
    expect(checkConfig({ SLUICE_API_POLICY: "nosuch" }, null).wrong).toEqual([
      `SLUICE_API_POLICY: expected one of config/policies/: ${policyNames().join(", ")}, got nosuch`,
    ]);
  });
});
