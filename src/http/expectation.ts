/** What a schema expected, in words, and where in the request it expected it. */
import type { TLocalizedValidationError } from "typebox/error";

const steps = (pointer: string): string[] =>
  pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

/** `/messages/3/send_at` → `messages[3].send_at`. */
export const fieldOf = (pointer: string): string =>
  steps(pointer).reduce(
    (path, step) => (/^[0-9]+$/.test(step) ? `${path}[${step}]` : path === "" ? step : `${path}.${step}`),
    "",
  );

export const valueAt = (root: unknown, pointer: string): unknown => {
  let value = root;
  for (const step of steps(pointer)) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
};

const NOUNS: Readonly<Record<string, string>> = {
  string: "a string",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  object: "an object",
  array: "a list",
  null: "null",
};

const listed = (types: string | readonly string[]): string =>
  [types]
    .flat()
    .map((type) => NOUNS[type] ?? type)
    .join(" or ");

type Keyword = TLocalizedValidationError["keyword"];
type ParamsOf<K extends Keyword> = Extract<TLocalizedValidationError, { keyword: K }>["params"];

const oneOf = ({ allowedValues }: { allowedValues: readonly unknown[] }): string =>
  `one of ${allowedValues.map((value) => JSON.stringify(value)).join(", ")}`;
const atLeast = ({ limit }: { limit: number | bigint }): string => `at least ${limit}`;
const atMost = ({ limit }: { limit: number | bigint }): string => `at most ${limit}`;
export const atMostItems = ({ limit }: { limit: number | bigint }): string => `${atMost({ limit })} in the list`;
const fields = (count: number): string => (count === 1 ? "1 field" : `${count} fields`);

const IN_WORDS: { readonly [K in Keyword]?: (params: ParamsOf<K>) => string } = {
  type: ({ type }) => listed(type),
  enum: oneOf,
  minimum: atLeast,
  exclusiveMinimum: atLeast,
  maximum: atMost,
  exclusiveMaximum: atMost,
  minLength: ({ limit }) => (limit === 1 ? "a string that is not empty" : `at least ${limit} characters`),
  maxLength: ({ limit }) => `at most ${limit} characters`,
  minItems: ({ limit }) => `at least ${limit} in the list`,
  maxItems: atMostItems,
  uniqueItems: () => "each item once",
  minProperties: ({ limit }) => `at least ${fields(limit)}`,
  maxProperties: ({ limit }) => `at most ${fields(limit)}`,
  pattern: ({ pattern }) => `text that matches ${String(pattern)}`,
};

export const expectation = (error: TLocalizedValidationError): string => {
  // Each entry takes the params of its own keyword, which is this error's.
  const inWords = IN_WORDS[error.keyword] as ((params: object) => string) | undefined;
  return inWords?.(error.params) ?? error.message;
};

/** What a schema wants by its kind alone, for a field that is not there. */
export const kindOf = (schema: unknown): string => {
  const node = schema as
    { type?: string | string[]; enum?: readonly unknown[]; anyOf?: readonly unknown[] } | undefined;
  if (node?.enum) return oneOf({ allowedValues: node.enum });
  if (node?.type) return listed(node.type);
  return node?.anyOf ? [...new Set(node.anyOf.map(kindOf))].join(" or ") : "a value";
};
