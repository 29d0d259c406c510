/**
 * What can be stored, logged, mailed and given back as it came. Text: no lone surrogate (it has no UTF-8) and no NUL.
 * Numbers: what JSON.parse has not rounded; of 64 bits it keeps 53, and an id in metadata would come back as another.
 */
import type { FieldError } from "../domain/errors.ts";
import { fieldIn, unmet, type Problems } from "../domain/expecting.ts";

declare global {
  /** Of ES2024, and in Node since 20. */
  interface String {
    isWellFormed(): boolean;
  }
}

const isWellFormed = (text: string): boolean => text.isWellFormed() && !text.includes("\0");

const EXPECTED = "well-formed Unicode without NUL";
const EXPECTED_NUMBER = "a number that is exact in JSON: below 2^53, or text";

const isExact = (value: number): boolean => Math.abs(value) <= Number.MAX_SAFE_INTEGER;

const walk = (value: unknown, field: string, root: string, problems: Problems): void => {
  if (typeof value === "string") {
    if (!isWellFormed(value)) unmet(problems, field === "" ? root : field, EXPECTED, value);
  } else if (typeof value === "number") {
    if (!isExact(value)) unmet(problems, field === "" ? root : field, EXPECTED_NUMBER, value);
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) walk(item, `${field}[${index}]`, root, problems);
  } else if (typeof value === "object" && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      if (isWellFormed(name)) walk(item, fieldIn(field, name), root, problems);
      else unmet(problems, field === "" ? root : field, `names in ${EXPECTED}`, name);
    }
  }
};

/** Recursive: for values whose depth is bounded (json-extent.ts). */
export const illFormed = (value: unknown, root: string): readonly FieldError[] => {
  const problems: Problems = [];
  walk(value, "", root, problems);
  return problems;
};
