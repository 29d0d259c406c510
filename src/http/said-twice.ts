/**
 * A field that an object names twice. JSON.parse believes the last, others the first: what a proxy or a scanner has
 * looked at may be another request than ours, so it is nobody's.
 */
import { quoted } from "../domain/errors.ts";

const countOf = (value: unknown): number => {
  if (typeof value !== "object" || value === null) return 0;
  const inside: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  let fields = inside === value ? 0 : inside.length;
  for (const inner of inside) fields += countOf(inner);
  return fields;
};

/** Beyond this the name is not looked for: sixteen megabytes of fields would hold up everybody for a second. */
const NAMED_UP_TO = 262_144;

/** In text that has been parsed, so that it is JSON. Slow beside JSON.parse: only where there is one. */
const firstTwice = (json: string): string => {
  if (json.length > NAMED_UP_TO) return "one of them";
  const open: Set<string>[] = [];
  for (const [token] of json.matchAll(/[{}[\]]|"(?:[^"\\]|\\.)*"\s*:?/g)) {
    if (token === "{" || token === "[") open.push(new Set());
    else if (token === "}" || token === "]") open.pop();
    else if (token.endsWith(":")) {
      const name = JSON.parse(token.slice(0, -1)) as string;
      if (open.at(-1)?.has(name)) return quoted(name);
      open.at(-1)?.add(name);
    }
  }
  return "one of them";
};

/**
 * The name of one, quoted, or null. Recursive: for values whose depth is bounded (json-extent.ts).
 * @param fields how many the text has, counted on its bytes
 */
export const saidTwice = (json: string, value: unknown, fields: number): string | null =>
  countOf(value) === fields ? null : firstTwice(json);
