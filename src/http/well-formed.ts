/** Text that can be stored, logged, mailed and shown: no lone surrogate (it has no UTF-8) and no NUL. */
import type { FieldError } from "../domain/errors.ts";
import { unmet, type Problems } from "../domain/expecting.ts";

const isWellFormed = (text: string): boolean => !text.includes("\0") && !/\p{Surrogate}/u.test(text);

const EXPECTED = "well-formed Unicode without NUL";

const walk = (value: unknown, field: string, root: string, problems: Problems): void => {
  if (typeof value === "string") {
    if (!isWellFormed(value)) unmet(problems, field === "" ? root : field, EXPECTED, value);
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) walk(item, `${field}[${index}]`, root, problems);
  } else if (typeof value === "object" && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      const inner = field === "" ? name : `${field}.${name}`;
      if (isWellFormed(name)) walk(item, inner, root, problems);
      else unmet(problems, field === "" ? root : field, `names in ${EXPECTED}`, name);
    }
  }
};

/** Recursive: for values whose depth is bounded (json-body.ts). */
export const illFormedText = (value: unknown, root: string): readonly FieldError[] => {
  const problems: Problems = [];
  walk(value, "", root, problems);
  return problems;
};
