/** JSON of records is JSON.stringify's, to the character. */
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { recordJson } from "../../src/domain/json.ts";

/** Of what is escaped and what is not, more of what is than chance would bring. */
const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc
    .array(fc.constantFrom('"', "\\", "\n", "\u0000", "\u001f", "\u007f", "\u2028", "\ud800", "\udfff", "ü", "a"))
    .map((all) => all.join("")),
);

describe("the JSON of a record", () => {
  it("is that of JSON.stringify", () => {
    const value = fc.oneof(text, fc.constant(undefined), fc.jsonValue());
    fc.assert(
      fc.property(fc.dictionary(text, value, { noNullPrototype: true }), (record) => {
        expect(recordJson(record)).toBe(JSON.stringify(record));
      }),
      { numRuns: 2_000 },
    );
  });

  it("of a list is that as well", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (list) => {
        expect(recordJson(list)).toBe(JSON.stringify(list));
      }),
    );
  });

  it("has each character that is escaped escaped, wherever it stands", () => {
    for (let code = 0; code <= 0xff_ff; code++) {
      const record = { text: `a${String.fromCharCode(code)}b` };
      if (recordJson(record) !== JSON.stringify(record))
        throw new Error(`expected ${code} as JSON.stringify writes it`);
    }
  });
});
