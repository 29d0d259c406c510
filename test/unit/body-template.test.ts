import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { fillBody, type Json } from "../../src/domain/body-template.ts";

const TEMPLATE: Json = {
  to: [{ address: "{{to}}" }],
  subject: "Re: {{ subject }}",
  html: "{{html}}",
  headers: "{{headers}}",
  fixed: [1, true, null, [["{{html}}"], 2], "{{ no name }}", "{to}"],
};

describe("a body", () => {
  it("is filled in as data: alone a placeholder is the value, in a text its words, and what is missing is left out", () => {
    expect(fillBody(TEMPLATE, { to: "a@b.c", subject: 'Say "hi"', headers: { "List-Id": "x" } })).toEqual({
      to: [{ address: "a@b.c" }],
      subject: 'Re: Say "hi"',
      headers: { "List-Id": "x" },
      fixed: [1, true, null, [[], 2], "{{ no name }}", "{to}"],
    });
  });

  it("does not look again at what a message brought in, nor at what every object has", () => {
    expect(
      fillBody({ a: "{{to}} {{subject}}", b: "{{constructor}}" }, { to: "{{subject}}", subject: "{{to}}" }),
    ).toEqual({
      a: "{{subject}} {{to}}",
    });
  });

  it("holds whatever a message says in the place where it belongs, and nowhere else", () => {
    const words = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom('","admin":true,"x":"', "{{html}}", "\\", "\u2028"),
    );
    fc.assert(
      fc.property(words, words, words, (to, subject, html) => {
        const sent: unknown = JSON.parse(JSON.stringify(fillBody(TEMPLATE, { to, subject, html })));
        const expected = {
          to: [{ address: to }],
          subject: `Re: ${subject}`,
          html,
          fixed: [1, true, null, [[html], 2], "{{ no name }}", "{to}"],
        };
        expect(sent).toEqual(JSON.parse(JSON.stringify(expected)));
      }),
      { numRuns: 1_000 },
    );
  });
});
