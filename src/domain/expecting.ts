/** Reading what came from outside, field by field. Everything that is wrong is collected, so that it is told at once. */
import { quoted, type FieldError } from "./errors.ts";
import { nearest } from "./nearest.ts";

export type Problems = FieldError[];

export const fieldIn = (parent: string, name: string): string => (parent === "" ? name : `${parent}.${name}`);

/** Notes one problem. Answers undefined, so that a reader can end with it. */
export const unmet = (problems: Problems, field: string, expected: string, got: unknown): undefined => {
  problems.push({ field, expected, got: quoted(got) });
  return undefined;
};

/** More fields than these are a document's to name. */
const MOST_NAMED = 12;
const areFew = (known: readonly string[]): boolean => known.length > 0 && known.length <= MOST_NAMED;

/** What is said where an object should stand. */
export const anObject = (known: readonly string[]): string =>
  areFew(known) ? `an object with ${known.join(", ")}` : "an object";

/** What is said of a field that nobody knows: which was meant, or which there are. */
export const noSuchField = (name: string, known: readonly string[]): string => {
  const meant = nearest(name, known);
  if (meant) return `no such field (did you mean ${meant}?)`;
  if (!areFew(known)) return "no such field";
  return `no such field (there ${known.length === 1 ? "is" : "are"} ${known.join(", ")})`;
};

/** An object with no other fields than these. A typo must not be silent: a misspelt limit would be no limit. */
export const readFields = <Name extends string>(
  value: unknown,
  field: string,
  names: readonly Name[],
  problems: Problems,
): { readonly [name in Name]?: unknown } | undefined => {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return unmet(problems, field === "" ? "body" : field, anObject(names), value);
  for (const name of Object.keys(value).filter((key) => !(names as readonly string[]).includes(key)))
    unmet(problems, fieldIn(field, name), noSuchField(name, names), name);
  return value;
};

export const readWhole = (
  value: unknown,
  field: string,
  [least, most]: readonly [number, number],
  problems: Problems,
): number | undefined =>
  typeof value === "number" && Number.isInteger(value) && value >= least && value <= most
    ? value
    : unmet(problems, field, `a whole number from ${least} to ${most}`, value);
