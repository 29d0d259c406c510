/**
 * Schemas at work: a value is held to its TypeBox schema as it came, nothing coerced, filled in or dropped, and what is
 * wrong is told in our own sentences. (Query strings are text by nature: there a number's digits become the number.)
 */
import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import type { TLocalizedValidationError } from "typebox/error";
import { invalidFields, quoted, type FieldError } from "../domain/errors.ts";
import { anObject, fieldIn, noSuchField } from "../domain/expecting.ts";
import { atMostItems, expectation, fieldOf, kindOf, valueAt } from "./expectation.ts";
import { NoQuery } from "./schemas/parts.ts";
import { illFormed } from "./well-formed.ts";

/** Enough to mend a request by; a body of a thousand mistakes is not answered with all of them. */
const MOST_ERRORS = 8;

/** Empty when the value is as the schema says. */
export type Check = (value: unknown) => readonly FieldError[];

/** The fields of the object of which an error is told, with their schemas. */
const knownFields = (schema: TSchema, pointer: string): Readonly<Record<string, unknown>> => {
  const node = valueAt(schema, pointer.replace(/^#/, "").replace(/\/additionalProperties$/, ""));
  return (node as { properties?: Record<string, unknown> } | undefined)?.properties ?? {};
};

const told = (
  schema: TSchema,
  root: string,
  value: unknown,
  error: TLocalizedValidationError,
): readonly FieldError[] => {
  const field = fieldOf(error.instancePath);
  const got = quoted(valueAt(value, error.instancePath));
  const fields = knownFields(schema, error.schemaPath);
  const names = Object.keys(fields);
  if (error.keyword === "required")
    return error.params.requiredProperties.map((name) => ({
      field: fieldIn(field, name),
      expected: kindOf(fields[name]),
      got: "nothing",
    }));
  // The `false` behind additionalProperties: one for each field that nobody knows.
  if (error.keyword === "boolean") {
    const expected = noSuchField(field.split(".").at(-1) ?? "", names);
    return [{ field: field.slice(0, 80), expected, got }];
  }
  if (error.keyword === "additionalProperties") return [];
  const expected = error.keyword === "type" && error.params.type === "object" ? anObject(names) : expectation(error);
  return [{ field: field === "" ? root : field, expected, got }];
};

/** The shape alone, not the text in it. @param root how errors name the value itself */
const shapeCheckerOf = (schema: TSchema, root: string): Check => {
  const compiled = Compile(schema);
  return (value) => {
    if (compiled.Check(value)) return [];
    const errors = compiled.Errors(value).flatMap((error) => told(schema, root, value, error));
    // The list that errors are collected in is bounded; that it may end before the first we would tell lets nothing pass.
    return errors.length > 0
      ? errors.slice(0, MOST_ERRORS)
      : [{ field: root, expected: "what the schema says", got: "something else" }];
  };
};

/** The shape, and that all that is in it can be kept. */
export const checkerOf = (schema: TSchema, root = "body"): Check => {
  const check = shapeCheckerOf(schema, root);
  return (value) => {
    const errors = check(value);
    return errors.length > 0 ? errors : illFormed(value, root).slice(0, MOST_ERRORS);
  };
};

/** What a query string's text stands for, where its schema wants a number or a boolean. */
const fromText = (schema: TSchema, query: unknown): unknown => {
  const { properties = {} } = schema as { properties?: Record<string, { type?: string }> };
  return Object.fromEntries(
    Object.entries(query as Record<string, unknown>).map(([name, text]) => {
      const type = Object.hasOwn(properties, name) ? properties[name]?.type : undefined;
      if (type === "integer" && typeof text === "string" && /^-?[0-9]{1,15}$/.test(text)) return [name, Number(text)];
      if (type === "boolean" && (text === "true" || text === "false")) return [name, text === "true"];
      return [name, text];
    }),
  );
};

export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = checkerOf(schema);
  return (given: unknown) => {
    // Most requests ask nothing there.
    if (httpPart === "querystring" && schema === NoQuery && Object.keys(given as object).length === 0)
      return { value: given };
    const value = httpPart === "querystring" ? fromText(schema, given) : given;
    const errors = check(value);
    return errors.length === 0 ? { value } : { error: invalidFields(errors) };
  };
};

/**
 * The lists of a body that have too many items. Asked before the schema: TypeBox goes through all the items of a list
 * that is too long to tell what else is wrong with it, and a million of them would take it half a second.
 */
const tooLongIn = (schema: TSchema): Check => {
  const { properties = {} } = schema as { properties?: Record<string, { maxItems?: number }> };
  const lists = Object.entries(properties).flatMap(([field, { maxItems }]) =>
    maxItems === undefined ? [] : [{ field, limit: maxItems }],
  );
  return (value) =>
    lists.flatMap(({ field, limit }) => {
      const list = valueAt(value, `/${field}`);
      return Array.isArray(list) && list.length > limit
        ? [{ field, expected: atMostItems({ limit }), got: quoted(list) }]
        : [];
    });
};

/** For a body whose parts are judged one by one later: only what is wrong with it as a whole. */
export const wholeBodyCompiler =
  (whole: TSchema): FastifySchemaCompiler<TSchema> =>
  (part) => {
    if (part.httpPart !== "body") return validatorCompiler(part);
    const check = shapeCheckerOf(whole, "body");
    const tooLong = tooLongIn(whole);
    return (value: unknown) => {
      const long = tooLong(value);
      const errors = long.length > 0 ? long : check(value);
      return errors.length === 0 ? { value } : { error: invalidFields(errors) };
    };
  };
