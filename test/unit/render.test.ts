import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { missingVariables, render, variablesOf } from "../../src/domain/render.ts";

/** As JSON.parse makes it: an own property that a literal cannot have. */
const proto = JSON.parse('{"__proto__": "mine"}') as Record<string, string>;

describe("a template", () => {
  it.each([
    ["Dear {{name}}!", { name: "Ann" }, "Dear Ann!"],
    ["{{a}}{{ a }}{{  b.c_1 }}", { a: "1", "b.c_1": "2" }, "112"],
    ["{{a}}", { a: "$& $1 $$ $`" }, "$& $1 $$ $`"],
    ["{{a}} {{b}}", { a: "{{b}}", b: "{{a}}" }, "{{b}} {{a}}"],
    [
      "{{{a}}} {a} {{}} {{ }} {{a b}} {{a-b}} {{a\n}} {{ä}}",
      { a: "x" },
      "{x} {a} {{}} {{ }} {{a b}} {{a-b}} {{a\n}} {{ä}}",
    ],
    ["[{{missing}}]", {}, "[]"],
    ["[{{constructor}}{{toString}}{{__proto__}}]", {}, "[]"],
    ["[{{__proto__}}]", proto, "[mine]"],
    ["{{0}}", { "0": "zero" }, "zero"],
  ])("%j is filled", (template, variables, filled) => {
    expect(render(template, variables, "text")).toBe(filled);
  });

  it("escapes in html what would be markup, and nowhere else", () => {
    const variables = { name: `<b onclick='x("&amp;")'>` };
    expect(render("<i>{{name}}</i>", variables, "html")).toBe(
      "<i>&lt;b onclick=&#39;x(&quot;&amp;amp;&quot;)&#39;&gt;</i>",
    );
    expect(render("<i>{{name}}</i>", variables, "text")).toBe(`<i>${variables.name}</i>`);
    expect(render("<i>{{name}}</i>", variables, "header")).toBe(`<i>${variables.name}</i>`);
  });

  it("lets no value begin a new line in a subject or header", () => {
    const name = "Ann\r\nBcc: eve@example.org\n\0\u0085\u2028x";
    expect(render("Hi {{name}}", { name }, "header")).toBe("Hi Ann Bcc: eve@example.org x");
    expect(render("Hi {{name}}", { name }, "text")).toBe(`Hi ${name}`);
  });

  it("says which variables it has and which of them a recipient lacks", () => {
    const template = "{{a}} {{ b }} {{a}} {{constructor}} {{__proto__}} {not} {{not this}}";
    expect([...variablesOf(template)]).toEqual(["a", "b", "constructor", "__proto__"]);
    expect(missingVariables(template, { a: "1" })).toEqual(["b", "constructor", "__proto__"]);
    expect(missingVariables(template, { a: "", b: "", constructor: "" })).toEqual(["__proto__"]);
    expect(missingVariables("{{__proto__}}", proto)).toEqual([]);
    expect(missingVariables("plain", {})).toEqual([]);
  });

  const name = fc.stringMatching(/^[A-Za-z0-9_.]{1,8}$/);
  const value = fc.oneof(fc.string(), fc.constantFrom("{{a}}", "<", "&amp;", "'\"", "\r\n", "$&"));
  const plain = fc.string().map((text) => text.replaceAll(/[{}]/g, ""));
  const parts = fc.array(fc.record({ before: plain, name, value }));

  it("puts each value in its place, and changes nothing else", () => {
    fc.assert(
      fc.property(parts, plain, (list, end) => {
        const values = new Map(list.map((part) => [part.name, part.value]));
        const variables = Object.fromEntries(values);
        const template = list.map((part) => `${part.before}{{${part.name}}}`).join("") + end;
        const filled = list.map((part) => part.before + values.get(part.name)!).join("") + end;
        expect(render(template, variables, "text")).toBe(filled);
        expect(variablesOf(template)).toEqual(new Set(values.keys()));
        expect(missingVariables(template, variables)).toEqual([]);
      }),
    );
  });

  it("keeps values out of the markup and out of other lines, whatever they hold", () => {
    fc.assert(
      fc.property(value, (text) => {
        const html = render("{{v}}", { v: text }, "html");
        expect(html).not.toMatch(/[<>"']/);
        const entities: Record<string, string> = {
          "&lt;": "<",
          "&gt;": ">",
          "&quot;": '"',
          "&#39;": "'",
          "&amp;": "&",
        };
        expect(html.replaceAll(/&(?:lt|gt|quot|#39|amp);/g, (entity) => entities[entity]!)).toBe(text);
        expect(render("{{v}}", { v: text }, "header")).not.toMatch(/[\r\n\0\u0085\u2028\u2029]/);
      }),
    );
  });
});
