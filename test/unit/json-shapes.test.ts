import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { hasTooManyShapes, MOST_NEW_FIELDS } from "../../src/http/json-shapes.ts";

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value, null, 1));

describe("shapes of objects", () => {
  it("are counted field by field: what an object begins with is new once", () => {
    const beginnings = (value: unknown, seen: Set<string>): Set<string> => {
      if (typeof value !== "object" || value === null) return seen;
      if (!Array.isArray(value))
        Object.keys(value).forEach((_, last, names) => seen.add(JSON.stringify(names.slice(0, last + 1))));
      for (const inner of Object.values(value)) beginnings(inner, seen);
      return seen;
    };
    const names = fc.constantFrom("a", "b", "ab", 'a":1,"b', "\\", "{[", "");
    const { value: any } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 6 }, names, fc.array(tie("value")), fc.dictionary(names, tie("value"))),
    }));
    fc.assert(
      fc.property(any, (value) => {
        const json = bytes(value);
        const { size } = beginnings(value, new Set());
        expect([hasTooManyShapes(json, size), hasTooManyShapes(json, size - 1)]).toEqual([false, size > 0]);
      }),
    );
  });

  const objects = (count: number, nameOf: (object: number, field: number) => string): Buffer =>
    bytes(
      Array.from({ length: count }, (_, object) =>
        Object.fromEntries(Array.from({ length: 100 }, (_v, field) => [nameOf(object, field), "x:"])),
      ),
    );

  it("may be as many as have a hundred thousand fields of their own, and objects of one shape as many as there are", () => {
    const most = MOST_NEW_FIELDS / 100;
    expect(hasTooManyShapes(objects(10_000, (_, field) => `v${field}`))).toBe(false);
    expect(hasTooManyShapes(objects(most, (object, field) => `v${object}_${field}`))).toBe(false);
    expect(hasTooManyShapes(objects(most + 1, (object, field) => `v${object}_${field}`))).toBe(true);
    // The same behind a first one of its own.
    expect(hasTooManyShapes(objects(most + 1, (object, field) => (field === 0 ? `v${object}_` : `v${field}`)))).toBe(
      true,
    );
  });
});
