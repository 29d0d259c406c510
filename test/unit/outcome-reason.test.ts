import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { reason } from "../../src/providers/reason.ts";

describe("a provider's words", () => {
  it.each([
    ["550 5.1.1 <ann@example.com>: user unknown", "550 5.1.1 <[address]>: user unknown"],
    ['550 "ann b"@example.com is gone', "550 [address] is gone"],
    ["no mailbox ann+news@exämple.com, sorry", "no mailbox [address], sorry"],
    ["see /unsubscribe?u=ann%40example.com", "see [address]"],
    ["'To' +49 151 1234-5678 is not valid", "'To' [number] is not valid"],
    ["(212) 555-0100 and 2125550100", "[number] and [number]"],
    ["number ٠١٢٣٤٥٦٧٨٩", "number [number]"],
    ["421 4.7.28 wait 30 seconds", "421 4.7.28 wait 30 seconds"],
    ["550-5.1.1 gone\r\n550 5.1.1 really", "550-5.1.1 gone 550 5.1.1 really"],
    ["one\u0000two\u001b[31m\u202ethree\ud800", "one two [31m three"],
    ["  much   space\t", "much space"],
    ["", ""],
  ])("%j becomes %j", (text, clean) => {
    expect(reason(text)).toBe(clean);
  });

  it("are at most 300 characters, and a cut leaves no half of an address", () => {
    expect(reason("x".repeat(1_000))).toHaveLength(300);
    const cut = reason(`${"ann@example.com ".repeat(124)}${"secret".repeat(20)}@example.com`);
    expect(cut).not.toContain("secret");
  });

  it("never hold an address, seven digits in a row, or a control character", () => {
    const address = fc.emailAddress();
    const number = fc.integer({ min: 1_000_000, max: 999_999_999 }).map((n) => `+${n}`);
    const words = fc.array(fc.oneof(fc.string({ unit: "binary" }), address, number), { maxLength: 40 });
    fc.assert(
      fc.property(words, address, (texts, hidden) => {
        const clean = reason([...texts, hidden].join(" "));
        expect(clean).not.toMatch(/\p{Cc}|\p{Nd}{7}/u);
        expect(clean).not.toContain(hidden);
        expect(clean.length).toBeLessThanOrEqual(300);
      }),
      { numRuns: 1_000 },
    );
  });

  it("are read in a moment, however they are made", () => {
    const startedAt = performance.now();
    for (const unit of ["a", "1", "1 ", "@", '"', "a@", "+(", "%40"]) reason(unit.repeat(100_000));
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
