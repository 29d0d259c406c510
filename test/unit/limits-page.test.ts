import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { parse } from "yaml";
import { LIMITS_PAGE, limitsPage } from "../../config/limits-page.ts";
import { loadPolicy, policyNames } from "../../config/policies.ts";
import type { FieldError } from "../../src/domain/errors.ts";
import { DIALECTS } from "../../src/ratelimit/dialects/by-name.ts";
import { readPolicy } from "../../src/ratelimit/policy-reading.ts";
import { ruleFinder } from "../../src/ratelimit/rules-for.ts";

/** Its one example in YAML. */
const exampleOf = (page: string): unknown => parse(/```yaml\n(.*?)```/s.exec(page)?.[1] ?? "");

describe("docs/api-limits.md", () => {
  const policies = policyNames().map((name) => loadPolicy(name));
  const page = readFileSync(LIMITS_PAGE, "utf8");

  it("has the tables that the policies make (npm run docs:limits)", () => {
    expect(page).toBe(limitsPage(page, policies));
  });

  it("has an example of a policy that is one, and limits as it says", () => {
    const problems: FieldError[] = [];
    const names = DIALECTS.map(({ name }) => name);
    const find = ruleFinder(readPolicy("shop", exampleOf(page), names, problems));
    expect(problems).toEqual([]);
    const told = (method: string, route: string, plan: string | null = null) =>
      find({ method, route, body: { email: "ann@example.com" }, facts: { user: "u", ip: "192.0.2.7", plan } }).map(
        ({ rule, windows }) => [rule, ...windows.map(({ length, limit }) => `${limit} in ${length / 1_000} s`)],
      );
    const burst = ["burst", "50 in 1 s"];
    expect(told("POST", "/orders")).toEqual([["checkout", "10 in 60 s", "200 in 86400 s"], burst]);
    expect(told("GET", "/products/:id")).toEqual([["search", "20 in 10 s"], burst]);
    expect(told("GET", "/products/:id", "paid")).toEqual([["search", "100 in 10 s"], burst]);
    expect(told("POST", "/login")).toEqual([["login", "5 in 3600 s"], burst]);
    expect(told("GET", "/elsewhere")).toEqual([["other", "120 in 60 s"], burst]);
    // All dialects that there are stand in the table.
    for (const name of names) expect(page).toMatch(new RegExp(`^\\| \`dialect\` .*\`${name}\``, "m"));
  });

  it("would differ if a number did", () => {
    const [first, ...rest] = policies;
    if (!first) throw new Error("no policy");
    const text = JSON.stringify(first);
    expect(text).toMatch(/"limit":\d/);
    const other = JSON.parse(text.replace(/"limit":\d/, '"limit":77')) as typeof first;
    expect(limitsPage(page, [other, ...rest])).not.toBe(page);
  });
});
