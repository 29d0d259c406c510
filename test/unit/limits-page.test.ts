import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { LIMITS_PAGE, limitsPage } from "../../config/limits-page.ts";
import { loadPolicy, policyNames } from "../../config/policies.ts";

describe("docs/api-limits.md", () => {
  const policies = policyNames().map((name) => loadPolicy(name));
  const page = readFileSync(LIMITS_PAGE, "utf8");

  it("has the tables that the policies make (npm run docs:limits)", () => {
    expect(page).toBe(limitsPage(page, policies));
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
