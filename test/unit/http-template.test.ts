import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { fillIn, foreignIn, usesIn, writtenLength } from "../../src/domain/template.ts";
import { readMailTemplate, templatedDraft } from "../../src/http/draft/templated.ts";
import { readTiming } from "../../src/http/draft/timing.ts";
import type { FieldError } from "../../src/domain/errors.ts";
import { instant } from "../../src/domain/time.ts";

describe("a template", () => {
  it("has its variables filled in, with or without spaces, escaped in html", () => {
    const variables = { name: `<b>"Ann" & 'Bob'</b>`, n: "1" };
    expect(fillIn("{{name}} {{ n }}{{n}}", variables, "text")).toBe(`<b>"Ann" & 'Bob'</b> 11`);
    expect(fillIn("<p title='{{name}}'>", variables, "html")).toBe(
      "<p title='&lt;b&gt;&quot;Ann&quot; &amp; &#39;Bob&#39;&lt;/b&gt;'>",
    );
  });

  it("leaves everything else as it is: other braces, what a variable brings in, and what only looks like a field of every object", () => {
    expect(fillIn("{name} {{1}} {{a.b}} {{}} {{{x}}}", { x: "y" }, "text")).toBe("{name} {{1}} {{a.b}} {{}} {y}");
    expect(fillIn("{{a}}", { a: "{{b}}", b: "no" }, "text")).toBe("{{b}}");
    expect(fillIn("{{constructor}} {{__proto__}}", {}, "text")).toBe("{{constructor}} {{__proto__}}");
  });

  it("knows what it will not fill in: then no braces open in what is left when all its variables are empty", () => {
    const piece = fc.oneof(fc.constantFrom("{{a}}", "{{ b }}", "{{", "}}", "{", "{{{a}}}", "{{a.b}}"), fc.string());
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join("");
        const empty = Object.fromEntries([...usesIn(text).uses.keys()].map((name) => [name, "|"]));
        expect(foreignIn(text) !== null).toBe(fillIn(text, empty, "text").includes("{{") || text.includes("{{{"));
      }),
    );
  });

  it("counts what filling it in will come to, exactly", () => {
    const anyText = fc.string({ unit: "binary" });
    const piece = fc.oneof(fc.constantFrom("{{a}}", "{{ b }}", "{{", "}}", "{"), anyText);
    fc.assert(
      fc.property(fc.array(piece), anyText, anyText, (pieces, a, b) => {
        const text = pieces.join("");
        const { uses, fixed } = usesIn(text);
        const [inA, inB] = [writtenLength(a, "text"), writtenLength(b, "text")];
        const counted = fixed + (uses.get("a") ?? 0) * inA + (uses.get("b") ?? 0) * inB;
        const others = [...uses.keys()].filter((name) => name !== "a" && name !== "b");
        fc.pre(others.length === 0);
        expect(Array.from(fillIn(text, { a, b }, "text"))).toHaveLength(counted);
      }),
    );
  });

  it("of 250 KB in one variable used 10,000 times is refused without being made", () => {
    const problems: FieldError[] = [];
    const read = readMailTemplate({ from: "a@b.co", subject: "x", text: "{{a}}".repeat(10_000) }, problems);
    const startedAt = performance.now();
    templatedDraft("email", read, { to: "c@d.co", variables: { a: "a".repeat(16_384) } }, { class: "low" }, problems);
    expect(problems.map(({ field }) => field)).toEqual(["variables"]);
    expect(performance.now() - startedAt).toBeLessThan(50);
  });

  const templateOf = (variables: number) => {
    const problems: FieldError[] = [];
    const text = Array.from({ length: variables }, (_, i) => `{{v${i}}}`).join("");
    return { problems, read: readMailTemplate({ from: "a@b.co", subject: "x", text }, problems) };
  };

  it("uses at most as many variables as a recipient may bring", () => {
    expect(templateOf(100).problems).toEqual([]);
    expect(templateOf(101).problems).toEqual([
      { field: "template", expected: "at most 100 different variables", got: "101" },
    ]);
  });

  it("names a few of the variables that a recipient lacks, however many they are", () => {
    const { problems, read } = templateOf(100);
    templatedDraft("email", read, { to: "c@d.co" }, { class: "low" }, problems);
    expect(problems.map(({ field }) => field)).toEqual(Array.from({ length: 8 }, (_, i) => `variables.v${i}`));
  });
});

describe("times", () => {
  it("that are accepted are in order: now, send_at, expires_at", () => {
    const now = instant(Date.UTC(2026, 2, 1));
    const around = fc.integer({ min: -7_200_000, max: 7_200_000 }).map((ms) => new Date(now + ms).toISOString());
    const fields = fc.record(
      { send_at: around, expires_at: around, ttl: fc.integer({ min: 1, max: 7_200 }) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fields, (asked) => {
        const problems: FieldError[] = [];
        const { sendAt, expiresAt } = readTiming(asked, now, problems);
        if (problems.length > 0) return;
        expect(sendAt ?? now).toBeGreaterThanOrEqual(now - 60_000);
        expect(expiresAt ?? Infinity).toBeGreaterThan(Math.max(now, sendAt ?? now));
      }),
    );
  });
});
