import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { parseEmailAddress, parseMailbox, parsePhone, senderKey } from "../../src/domain/address.ts";
import { holdsEncodedWord } from "../../src/domain/mail-header.ts";

const longLocal = "l".repeat(64);
/** 254 characters: 64 + @ + 185 + 4. */
const longest = `${longLocal}@${["a".repeat(63), "b".repeat(63), "c".repeat(57)].join(".")}.org`;

/** Every character that could end an address, start another, or hide something. */
const TROUBLE = [
  "\r",
  "\n",
  "\0",
  "\t",
  " ",
  ",",
  ";",
  "<",
  ">",
  '"',
  "(",
  ")",
  ":",
  "\\",
  "[",
  "]",
  "\u0085",
  "\u2028",
  "\u00a0",
  "\ud800",
  "@",
];

/** A text that says how long it is, and throws when anything else of it is read. */
const ofLength = (length: number): string =>
  new Proxy(
    {},
    {
      get: (_, property) => {
        if (property === "length") return length;
        throw new RangeError(`read ${String(property)}`);
      },
    },
  ) as unknown as string;

describe("an email address", () => {
  it.each([
    ["ann@example.org", "ann@example.org"],
    ["Ann.O'Neil+news@Example.ORG", "Ann.O'Neil+news@example.org"],
    ["fail@sandbox.invalid", "fail@sandbox.invalid"],
    ["a@münchen.de", "a@xn--mnchen-3ya.de"],
    ["a@例え。テスト", "a@xn--r8jz45g.xn--zckzah"],
    ["a@sub.1and1.co.uk", "a@sub.1and1.co.uk"],
    [longest, longest],
  ])("%s is taken as %s", (text, address) => {
    expect(longest).toHaveLength(254);
    expect(parseEmailAddress(text)).toBe(address);
  });

  const twoOrMore =
    "a@b.org,c@d.org a@b.org;c@d.org a@b@c.org a@b.org%0d%0a <a@b.org> Ann<a@b.org> @x.org:a@b.org a@b.org(x)";
  const badLocal = '@b.org .a@b.org a.@b.org a..b@c.org "a"@b.org a\\b@c.org ä@b.org a\u200b@b.org ａ@b.org';
  const badDomain =
    "a@ a@localhost a@b..org a@.b.org a@b.org. a@-b.org a@b-.org a@b_c.org a@[127.0.0.1] a@127.0.0.1 a@0x7f.1 a@１.２.３.４ " +
    "a@b.org:25 a@b.org/x a@b.org?x a@b.org#x a@b%2eorg a@xn--a.org a@b，c.org a@a／b.org";
  it.each([
    ...[twoOrMore, badLocal, badDomain].flatMap((list) => list.split(" ")),
    "",
    "a",
    "a b@c.org",
    " a@b.org",
    "a@b.org ",
    "a@b.org\r\nBcc: c@d.org",
    `${longLocal}l@b.org`,
    `${longest}g`,
    `a@${"a".repeat(64)}.org`,
    // 254 characters that would be more in ASCII.
    `a@${`${"ü".repeat(50)}.`.repeat(4)}${"ü".repeat(44)}.org`,
  ])("is not %j", (text) => {
    expect(parseEmailAddress(text)).toBeNull();
  });

  it("never holds what could end it or begin another, wherever that stands", () => {
    fc.assert(
      fc.property(fc.nat({ max: 15 }), fc.constantFrom(...TROUBLE), (place, trouble) => {
        const text = "ann@example.org";
        expect(parseEmailAddress(text.slice(0, place) + trouble + text.slice(place))).toBeNull();
      }),
    );
  });

  it("once taken is canonical, one address, and printable ASCII", () => {
    const local = fc.stringMatching(/^[\w.+-]{1,8}$/);
    const texts = fc.oneof(
      fc.emailAddress(),
      fc.string({ unit: "binary" }),
      fc.tuple(local, fc.domain()).map((p) => p.join("@")),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const address = parseEmailAddress(text);
        if (address === null) return;
        expect(address).toMatch(/^[!#-'*+\-/-9=?A-Z^-~.]+@[a-z0-9.-]+\.[a-z0-9-]+$/);
        expect(parseEmailAddress(address)).toBe(address);
        expect(address.length).toBeLessThanOrEqual(254);
      }),
    );
  });

  it("has its length checked before anything reads it", () => {
    for (const parse of [parseEmailAddress, parseMailbox, parsePhone]) {
      expect(parse(ofLength(50_000))).toBeNull();
      // The trap works: what is short enough is read.
      expect(() => parse(ofLength(5))).toThrow(RangeError);
    }
  });

  it("is the same sender in any case", () => {
    expect(senderKey("Ann@Example.org")).toBe("ann@example.org");
  });
});

describe("a From header", () => {
  it.each([
    ["a@b.org", { address: "a@b.org" }],
    ["<a@b.org>", { address: "a@b.org" }],
    ["Ann O. Neil <A@B.org>", { address: "A@b.org", name: "Ann O. Neil" }],
    ["  Ann<a@b.org> ", { address: "a@b.org", name: "Ann" }],
    ['"Acme, Inc." <a@b.org>', { address: "a@b.org", name: "Acme, Inc." }],
    ['"The \\"best\\" \\\\ <x@y.org>" <a@b.org>', { address: "a@b.org", name: 'The "best" \\ <x@y.org>' }],
    ['"" <a@b.org>', { address: "a@b.org" }],
    ["Żaneta 🐝 <a@b.org>", { address: "a@b.org", name: "Żaneta 🐝" }],
  ])("%s is one mailbox", (text, mailbox) => {
    expect(parseMailbox(text)).toEqual(mailbox);
  });

  it.each([
    "",
    "Ann",
    "Ann <>",
    "Ann <a@b.org",
    "Ann a@b.org>",
    "Ann <a@b.org> x",
    "Ann <a@b.org>, Bob <c@d.org>",
    "Acme, Inc. <a@b.org>",
    "x@y.org <a@b.org>",
    "Team: <a@b.org>",
    "Ann (x) <a@b.org>",
    'Ann "x" <a@b.org>',
    '"Ann <a@b.org>',
    '"Ann\\" <a@b.org>',
    '"An"n" <a@b.org>',
    '" <a@b.org>',
    "Ann < a@b.org>",
    "Ann\r\nBcc: c@d.org <a@b.org>",
    "Ann\0 <a@b.org>",
    "Ann\u2028 <a@b.org>",
    "Ann\ud800 <a@b.org>",
    `${"n".repeat(500)} <a@b.org>`,
  ])("is not %j", (text) => {
    expect(parseMailbox(text)).toBeNull();
  });

  it("gives back any name that was quoted properly", () => {
    // Graphemes hold line and paragraph separators too, which stand in no name.
    const name = fc
      .string({ unit: "grapheme", maxLength: 40 })
      .map((text) => text.trim())
      .filter((text) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text) && !holdsEncodedWord(text));
    fc.assert(
      fc.property(name, (text) => {
        const quoted = `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
        expect(parseMailbox(`${quoted} <a@b.org>`)).toEqual(
          text === "" ? { address: "a@b.org" } : { address: "a@b.org", name: text },
        );
      }),
    );
  });
});

describe("a phone number", () => {
  it.each([
    "+15005550001",
    "+15005550006",
    "+15005550009",
    "+12025550123",
    "+447911123456",
    "+390612345678",
    "+9779841234567",
  ])("%s is taken as it is", (text) => {
    expect(parsePhone(text)).toBe(text);
  });

  const short =
    "+1 +123456 +1234567 +1202555012 +1202555012345678 +0123456789 +9991234567 12025550123 0012025550123 ++12025550123";
  const odd =
    "+1-202-555-0123 +1(202)5550123 ＋12025550123 +１２０２５５５０１２３ +1202555٠١٢٣ +12025550123;ext=5 tel:+12025550123 whatsapp:+12025550123";
  it.each([
    ...[short, odd].flatMap((list) => list.split(" ")),
    "",
    "+1 202 555 0123",
    "+12025550123x5",
    "+12025550123\n",
    " +12025550123",
    "+12025550123,+12025550124",
    `+${"1".repeat(16)}`,
    // The digit that is dialed within the country: a second spelling of +447911123456 and its like.
    "+4407911123456",
    "+610412345678",
    "+330123456789",
  ])("is not %j", (text) => {
    expect(parsePhone(text)).toBeNull();
  });

  it("never throws, and takes nothing but plus and digits", () => {
    const digits = fc.stringMatching(/^\+[0-9]{5,17}$/);
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), digits), (text) => {
        expect(parsePhone(text) ?? "+1234567").toMatch(/^\+[0-9]{7,15}$/);
      }),
    );
  });
});
