import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { Type } from "typebox";
import { cursorFrom, readCursor } from "../../src/http/cursor.ts";
import { BULK, DEEPEST, measure, MOST_FIELDS, ONE_REQUEST, type Extent } from "../../src/http/json-extent.ts";
import { quoted, type SluiceError } from "../../src/domain/errors.ts";
import { isFromLoopback } from "../../src/domain/loopback.ts";
import { guessLimit } from "../../src/http/guess-limit.ts";
import { clientAddress } from "../../src/ratelimit/client-address.ts";
import { BulkAsAWhole } from "../../src/http/schemas/bulk.ts";
import { checkerOf, wholeBodyCompiler } from "../../src/http/validate.ts";
import type { Instant, MonotonicMillis } from "../../src/domain/time.ts";

describe("the extent of JSON", () => {
  const excessOf = (json: Buffer, extent = BULK): string | null => measure(json, extent).excess;
  const depthOf = (value: unknown): number =>
    typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
  const excess = (value: unknown): string | null => excessOf(Buffer.from(JSON.stringify(value)));

  it("in levels is counted as a parser would, brackets in strings and all", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 40 }), fc.boolean(), (inner, levels, asList) => {
        let value = inner;
        for (let level = 0; level < levels; level++) value = asList ? [value] : { "[{": value };
        expect(excess(value) !== null).toBe(depthOf(value) > DEEPEST);
      }),
    );
    const nested = (levels: number): Buffer => Buffer.from(`${"[".repeat(levels)}"]\\"[["${"]".repeat(levels)}`);
    expect([excessOf(nested(DEEPEST)), excessOf(nested(DEEPEST + 1))]).toEqual([null, "JSON of at most 32 levels"]);
  });

  it("begins again where a string ends, however long it is and whatever it escapes", () => {
    const run = fc.tuple(fc.constantFrom('"', "\\", "[", "a"), fc.integer({ min: 1, max: 50 }));
    const texts = fc.array(fc.array(run, { maxLength: 6 }).map((runs) => runs.map(([c, n]) => c.repeat(n)).join("")));
    fc.assert(
      fc.property(texts, (among) => {
        let deepest: unknown = among;
        for (let level = 1; level < DEEPEST; level++) deepest = [...among, deepest, ...among];
        expect([excess(deepest), excess([deepest])]).toEqual([null, "JSON of at most 32 levels"]);
      }),
    );
  });

  it("in fields is counted for each object by itself", () => {
    const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`,:${i}`, ":,"]));
    const most = fields(MOST_FIELDS);
    expect(excess({ list: [most, most], after: most })).toBeNull();
    expect(excess([{ a: fields(MOST_FIELDS + 1) }])).toBe("at most 1000 fields in an object");
  });

  it.each([
    ["a bulk", BULK],
    ["any other request", ONE_REQUEST],
  ])("in values is counted for the whole of %s: what is in a list, and the list", (_what, extent: Extent) => {
    const list = (values: number): Buffer => Buffer.from(`[${"1,".repeat(values - 1)}1]`);
    expect(excessOf(list(extent.values), extent)).toBeNull();
    expect(excessOf(list(extent.values + 1), extent)).toBe(`JSON of at most ${extent.values} values`);
  });

  it("in lists and objects is counted for the whole, however few commas there are", () => {
    const lists = (count: number, inner: string): Buffer => Buffer.from(`[${`${inner},`.repeat(count - 2)}${inner}]`);
    expect(["[]", "{}"].map((inner) => excessOf(lists(BULK.nested, inner)))).toEqual([null, null]);
    const tooMany = `JSON of at most ${BULK.nested} lists and objects`;
    expect(["[]", "{}"].map((inner) => excessOf(lists(BULK.nested + 1, inner)))).toEqual([tooMany, tooMany]);
    expect(excessOf(lists(Math.ceil(BULK.nested / 3) + 1, "[[[1]]]"))).toBe(tooMany);
  });

  it("has room for the fullest of what is documented", () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`v${i}`, ""]));
    const recipient = { to: "", reference: "", variables: many(100), metadata: many(5) };
    expect(excess({ template: {}, recipients: Array.from({ length: 9_999 }, () => recipient) })).toBeNull();
    const email = { ...many(13), headers: many(50), metadata: { list: Array.from({ length: 2_000 }, () => 1) } };
    expect(excessOf(Buffer.from(JSON.stringify(email)), ONE_REQUEST)).toBeNull();
    const windows = { minute: 1, hour: 1, day: 1, month: 1 };
    const quotas = Object.fromEntries(["email", "sms", "voice", "whatsapp", "all"].map((on) => [on, windows]));
    const plan = { name: "p", weight: 1, quotas, api_limit: windows, api_ceiling: windows };
    const plans = { items: Array.from({ length: 200 }, () => plan) };
    expect(excessOf(Buffer.from(JSON.stringify(plans)), ONE_REQUEST)).toBeNull();
    expect(excess({ messages: Array.from({ length: 500 }, () => email) })).toBeNull();
  });

  it("of what is no JSON is counted without an end or a start", () => {
    fc.assert(fc.property(fc.stringMatching(/^[[\]{}:,"\\a]*$/), (text) => void excessOf(Buffer.from(text))));
  });
});

describe("a value in an error", () => {
  it("is quoted as if all of it had been written down", () => {
    const written = (value: unknown): string => {
      const text = JSON.stringify(value);
      return text.length > 80 ? `${text.slice(0, 79).replaceAll(/\p{Surrogate}/gu, "\ufffd")}…` : text;
    };
    const { value: any } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.jsonValue(),
        fc.array(tie("value")),
        fc.dictionary(fc.string(), tie("value")),
      ),
    }));
    const long = fc.string({ unit: "binary", minLength: 70, maxLength: 100 });
    fc.assert(
      fc.property(fc.oneof(any, long, fc.array(long), fc.dictionary(long, long)), (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        fc.pre(typeof plain !== "number");
        expect(quoted(plain)).toBe(written(plain));
      }),
    );
  });

  it("is not looked at beyond what is shown", () => {
    let looks = 0;
    const seen = <Value extends object>(value: Value): Value =>
      new Proxy(value, { get: (target, name, self) => (looks++, Reflect.get(target, name, self) as unknown) });
    const lists = seen(Array.from({ length: 10_000 }, () => seen(Array.from({ length: 10_000 }, () => 1))));
    expect(quoted(lists)).toBe(`[[${"1,".repeat(38)}1…`);
    expect(looks).toBeLessThan(1_000);
  });
});

describe("a cursor", () => {
  it("is read back as it was given, by its own list, and by no other", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 50 }), (inner) => {
        const cursor = cursorFrom("messages", inner)!;
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(readCursor("messages", cursor)).toBe(inner);
        expect(() => readCursor("accounts", cursor)).toThrow(/cursor/);
        expect(() => readCursor("messages", cursor.slice(0, -2))).toThrow(/cursor/);
      }),
    );
    expect(cursorFrom("messages", null)).toBeNull();
    expect(readCursor("messages", undefined)).toBeNull();
  });
});

describe("loopback", () => {
  const request = (remoteAddress: string, host: string, others: object = {}): boolean =>
    isFromLoopback({ headers: { host, ...others }, socket: { remoteAddress } });

  it.each([
    ["127.0.0.1", "127.0.0.1:3000"],
    ["127.8.9.1", "localhost"],
    ["::1", "[::1]:3000"],
    ["::ffff:127.0.0.1", "LOCALHOST:3000"],
  ])("is %s asking for %s", (address, host) => expect(request(address, host)).toBe(true));

  it.each([
    ["10.0.0.1", "127.0.0.1"],
    ["::ffff:10.0.0.1", "localhost"],
    ["127.0.0.1", "attacker.example"],
    ["127.0.0.1", "localhost.attacker.example"],
    ["127.0.0.1", "127.0.0.1.attacker.example:3000"],
    ["127.0.0.1", ""],
    ["", "localhost"],
  ])("is not %s asking for %s", (address, host) => expect(request(address, host)).toBe(false));

  it("is not what a proxy on this machine brings", () => {
    for (const header of ["x-forwarded-for", "forwarded", "via", "x-real-ip", "x-forwarded-host"])
      expect(request("127.0.0.1", "localhost", { [header]: "127.0.0.1" })).toBe(false);
  });
});

describe("the limit on requests", () => {
  it.each([
    ["203.0.113.1", "::ffff:203.0.113.1"],
    ["2001:db8::1", "2001:db8:0:0:ffff:1:2:3"],
    ["2001:0db8:0000:0000::1", "2001:DB8::2"],
    ["::1", "::2"],
    ["fe80::1%eth0", "fe80::2"],
  ])("takes %s and %s for one caller", (one, other) => expect(clientAddress(one)).toBe(clientAddress(other)));

  it.each([
    ["203.0.113.1", "203.0.113.2"],
    ["2001:db8::1", "2001:db8:0:1::1"],
    ["2001:db8::1", "2001:db9::1"],
  ])("takes %s and %s for two", (one, other) => expect(clientAddress(one)).not.toBe(clientAddress(other)));

  it("lets through what was promised: at most the burst at once, and the rate from then on", () => {
    let now = 0;
    const clock = { now: () => 0 as Instant, monotonic: () => now as MonotonicMillis };
    const limit = guessLimit(clock, { perSecond: 10, burst: 20 });
    const steps = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 50, maxLength: 200 });
    fc.assert(
      fc.property(steps, fc.string(), (pauses, caller) => {
        const startedAt = now;
        let let_through = 0;
        for (const pause of pauses) {
          now += pause;
          if (limit.take(`caller ${caller} ${startedAt}`) === 0) let_through += 1;
        }
        expect(let_through).toBeLessThanOrEqual(20 + ((now - startedAt) / 1_000) * 10 + 1e-6);
        now += 10_000;
      }),
    );
  });

  it("forgets those it has not seen for longest, so that memory is bounded", () => {
    const clock = { now: () => 0 as Instant, monotonic: () => 0 as MonotonicMillis };
    const limit = guessLimit(clock, { perSecond: 1, burst: 1 });
    expect([limit.take("first"), limit.ask("first")]).toEqual([0, 1]);
    for (let other = 0; other < 20_000; other++) limit.take(`other ${other}`);
    expect(limit.ask("first")).toBe(0);
  });
});

describe("a schema's sentences", () => {
  const check = checkerOf(
    Type.Object(
      {
        name: Type.String({ minLength: 1, maxLength: 3 }),
        list: Type.Optional(
          Type.Array(Type.Object({ n: Type.Integer({ minimum: 0 }) }, { additionalProperties: false }), {
            maxItems: 2,
          }),
        ),
        kind: Type.Optional(Type.Enum(["a", "b"])),
      },
      { additionalProperties: false },
    ),
  );

  it.each([
    [{}, { field: "name", expected: "a string", got: "nothing" }],
    [5, { field: "body", expected: "an object with name, list, kind", got: "5" }],
    [{ name: "" }, { field: "name", expected: "a string that is not empty", got: `""` }],
    [{ name: "long" }, { field: "name", expected: "at most 3 characters", got: `"long"` }],
    [
      { name: "a", list: [{ n: 1 }, { n: -1 }] },
      { field: "list[1].n", expected: "at least 0", got: "-1" },
    ],
    [
      { name: "a", list: [{ n: 1.5 }] },
      { field: "list[0].n", expected: "a whole number", got: "1.5" },
    ],
    [
      { name: "a", list: [{ n: 1, m: 2 }] },
      { field: "list[0].m", expected: "no such field (there is n)", got: "2" },
    ],
    [
      { name: "a", list: [1, 2, 3] },
      { field: "list", expected: "at most 2 in the list", got: "[1,2,3]" },
    ],
    [
      { name: "a", kind: "c" },
      { field: "kind", expected: `one of "a", "b"`, got: `"c"` },
    ],
    [
      { name: "a", list: [{}] },
      { field: "list[0].n", expected: "a whole number", got: "nothing" },
    ],
    [{ colour: 1 }, { field: "colour", expected: "no such field (there are name, list, kind)", got: "1" }],
    [{ nam: "a" }, { field: "nam", expected: "no such field (did you mean name?)", got: `"a"` }],
  ])("%j", (value, error) => expect(check(value)).toContainEqual(error));

  it("say what a field that is not there would be", () => {
    const properties = {
      kind: Type.Enum(["a", "b"]),
      size: Type.Union([Type.Integer(), Type.Null()]),
      whatever: Type.Unknown(),
    };
    expect(checkerOf(Type.Object(properties))({})).toEqual([
      { field: "kind", expected: `one of "a", "b"`, got: "nothing" },
      { field: "size", expected: "a whole number or null", got: "nothing" },
      { field: "whatever", expected: "a value", got: "nothing" },
    ]);
  });

  it("coerce nothing, and let nothing through for being many", () => {
    expect(check({ name: 5 })).toHaveLength(1);
    expect(check({ name: "a" })).toEqual([]);
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything(), { minKeys: 1, maxKeys: 30 }), (others) => {
        const strange = Object.keys(others).filter((name) => !["name", "list", "kind"].includes(name));
        fc.pre(strange.length > 0);
        expect(check({ ...others, name: "a" }).length).toBeGreaterThan(0);
      }),
    );
  });

  it("say of a list that is too long just that, and none of its items is looked at", () => {
    let looks = 0;
    const messages = new Proxy(
      Array.from({ length: 1_001 }, () => 1),
      {
        get: (list, name, self) => (/^[0-9]+$/.test(String(name)) && looks++, Reflect.get(list, name, self) as unknown),
      },
    );
    const part = { schema: BulkAsAWhole, method: "POST", url: "/", httpPart: "body" };
    const { error } = wholeBodyCompiler(BulkAsAWhole)(part)({ messages, unknown: 5 }) as { error: SluiceError };
    const got = `[${"1,".repeat(39)}…`;
    expect(error.extra.errors).toEqual([{ field: "messages", expected: "at most 1000 in the list", got }]);
    // As many as are quoted.
    expect(looks).toBeLessThanOrEqual(2 * 80);
  });
});
