/** Values made from a JSON Schema: as it says, almost as it says, and nothing like it. */
import * as fc from "fast-check";
import type { JsonSchema } from "./operations.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** What a schema cannot say, by the name of the field: the text that is an address, a time, a zone. */
export type Hints = Readonly<Record<string, fc.Arbitrary<string>>>;

const phone = fc.integer({ min: 1000, max: 9999 }).map((n) => `+1500555${n}`);
const email = fc.constantFrom(
  "ann@example.net",
  "Bob.Builder@example.org",
  "a+b@bücher.example",
  "fail@sandbox.invalid",
);
const time = fc.constantFrom(
  "2026-03-01T09:00:00Z",
  "2026-03-01T15:00:00.123456789+05:30",
  "2026-07-01T00:00:00-11:00",
  "2026-12-31T23:59:59Z",
);
const zone = fc.constantFrom("UTC", "Asia/Kathmandu", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia");

const COMMON: Hints = {
  timezone: zone,
  send_at: time,
  expires_at: time,
  at: time,
  from_time: time,
  to: email,
  from: email,
  reply_to: email,
  address: fc.oneof(email, phone),
  scope: fc.constantFrom("send", "read", "send read"),
  rate: fc.constantFrom("1/s", "30/min", "5000/h"),
  plan: fc.constantFrom("starter", "free"),
  name: fc
    .string({ minLength: 1, maxLength: 20, unit: "grapheme" })
    .filter((text) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)),
  subject: fc.constantFrom("Hello", "Grüße 👋", "{{name}}, hello"),
};
/** Of routes that send to telephones. */
export const mailHints: Hints = COMMON;
export const phoneHints: Hints = { ...COMMON, to: phone, from: phone };
export const planHints: Hints = { ...COMMON, name: fc.constantFrom("standard", "gold", "starter", "free") };
/** Of questions, where `from` and `to` are times. */
export const queryHints: Hints = { ...COMMON, from: time, to: time };

const lengths = ({ minLength = 0, maxLength = 40 }: JsonSchema) => ({ minLength, maxLength: Math.min(maxLength, 40) });

const textOf = (schema: JsonSchema, name: string, hints: Hints): fc.Arbitrary<Json> => {
  const hint = Object.hasOwn(hints, name) ? hints[name] : undefined;
  if (hint !== undefined) return hint;
  return schema.pattern === undefined ? fc.string(lengths(schema)) : fc.stringMatching(new RegExp(schema.pattern));
};

const integerOf = ({ minimum = 1, maximum = 100 }: JsonSchema): fc.Arbitrary<Json> =>
  fc.oneof(fc.integer({ min: minimum, max: Math.min(maximum, minimum + 100) }), fc.constantFrom(minimum, maximum));

const listOf = (schema: JsonSchema, name: string, hints: Hints): fc.Arbitrary<Json> => {
  const { items = {}, minItems = 0, uniqueItems = false } = schema;
  const lengthsOf = { minLength: minItems, maxLength: Math.max(minItems, 3) };
  const one = valid(items, name, hints);
  return uniqueItems ? fc.uniqueArray(one, lengthsOf) : fc.array(one, lengthsOf);
};

const ofType = (type: string | undefined, schema: JsonSchema, name: string, hints: Hints): fc.Arbitrary<Json> => {
  if (type === "null") return fc.constant(null);
  if (type === "boolean") return fc.boolean();
  if (type === "integer") return integerOf(schema);
  if (type === "string") return textOf(schema, name, hints);
  if (type === "array") return listOf(schema, name, hints);
  if (type === "object") return objectOf(schema, hints);
  if (type !== undefined) throw new Error(`expected a type that this file knows, got ${type}`);
  return fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;
};

const objectOf = (schema: JsonSchema, hints: Hints): fc.Arbitrary<Json> => {
  const { properties, required = [], additionalProperties } = schema;
  if (properties === undefined) {
    const inner = typeof additionalProperties === "object" ? additionalProperties : {};
    const names = fc.stringMatching(/^X-[A-Za-z]{1,8}$/);
    return fc.dictionary(names, valid(inner, "", hints), { maxKeys: 3 });
  }
  const fields = Object.fromEntries(
    Object.entries(properties).map(([field, inner]) => [field, valid(inner, field, hints)]),
  );
  return fc.record(fields, { requiredKeys: [...required] });
};

export const valid = (schema: JsonSchema, name: string, hints: Hints): fc.Arbitrary<Json> => {
  if (schema.const !== undefined) return fc.constant(schema.const as Json);
  if (schema.enum !== undefined) return fc.constantFrom(...(schema.enum as Json[]));
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => valid(one, name, hints)));
  const types = [schema.type ?? []].flat();
  return types.length > 1
    ? fc.oneof(...types.map((type) => ofType(type, schema, name, hints)))
    : ofType(types[0], schema, name, hints);
};

/** Texts that have broken something somewhere. */
export const nastyText = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    "\0",
    "\ud800",
    "\udc00\ud800",
    "\u202e",
    "\u2028",
    "\r\nX: y",
    "a".repeat(300),
    "٣",
    "__proto__",
    "constructor",
    "toString",
    "../../etc/passwd",
    "%00",
    "%zz",
    "{{a}}",
    "*",
    "}",
    "|",
    ":",
    "[",
    "(",
    "-",
    "+",
    "-inf",
    "nan",
    "1e999",
    "9".repeat(400),
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "1970-01-01T00:00:00-23:59",
    "2100-12-31T23:59:59+23:59",
    "2026-02-30T00:00:00Z",
    "Etc/GMT+14",
    "Antarctica/Troll",
    "sl:{s0}:",
    "' OR 1=1 --",
    "<script>",
  ),
  fc.string({ unit: "binary", maxLength: 60 }),
);

const nastyValue: fc.Arbitrary<Json> = fc.oneof(
  nastyText,
  fc.constantFrom<Json>(
    null,
    true,
    false,
    0,
    -1,
    -0,
    1.5,
    2 ** 31,
    2 ** 53,
    1e300,
    -1e300,
    5e-324,
    [],
    {},
    [[]],
    [null],
  ),
  fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>,
);

export const isObject = (value: Json | undefined): value is { readonly [name: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

type Path = readonly (string | number)[];
const pathsIn = (value: Json, at: Path = []): readonly Path[] => {
  if (typeof value !== "object" || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([name, inner]) => pathsIn(inner, [...at, name]))];
};

const changedAt = (value: Json, [step, ...rest]: Path, change: (old: Json | undefined) => Json | undefined): Json => {
  if (step === undefined) return change(value) ?? null;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, Json>;
  const inner = rest.length === 0 ? change(copy[step]) : changedAt(copy[step] ?? null, rest, change);
  if (inner === undefined) delete copy[step];
  else Object.defineProperty(copy, step, { value: inner, enumerable: true, configurable: true, writable: true });
  return copy;
};

/** As the schema says, but in one place: gone, of another kind, beside a field that nobody knows. */
export const nearlyValid = (schema: JsonSchema, name: string, hints: Hints): fc.Arbitrary<Json> =>
  fc
    .tuple(valid(schema, name, hints), fc.nat(), nastyValue, fc.constantFrom("gone", "other", "more"), nastyText)
    .map(([value, pick, other, what, field]) => {
      const paths = pathsIn(value);
      const path = paths[pick % paths.length] ?? [];
      if (what === "gone") return changedAt(value, path, () => undefined);
      if (what === "other") return changedAt(value, path, () => other);
      return changedAt(value, path, (old) => (isObject(old) ? { ...old, [field]: other } : other));
    });

/** Text that is JSON, was JSON, or never will be. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  nastyValue.map((value) => JSON.stringify(value)),
  fc.tuple(nastyValue, fc.nat(40)).map(([value, cut]) => JSON.stringify(value).slice(0, -cut)),
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.constantFrom(
    '{"a":1,"a":2}',
    '{"__proto__":{}}',
    "[".repeat(40),
    '{"ttl":1e999}',
    '{"ttl":-0}',
    '{"to":"\\ud800"}',
    "\ufeff{}",
    "{} {}",
    '{"messages":[]}',
    '{"messages":[null,5,"x",[],{}]}',
    '{"template":{},"recipients":[{}]}',
    '{"recipients":[]}',
  ),
);
