/** A YAML file as plain data, or sentences about what keeps it from being read. */
import { readFileSync } from "node:fs";
import { LineCounter, parseDocument } from "yaml";
import type { FieldError } from "../src/domain/errors.ts";
import { expectedGot } from "./problem.ts";

/** A file of settings, not of data: more than this was given by mistake, and would be parsed for minutes. */
const MOST_CHARACTERS = 4_000_000;

export type YamlFile = { readonly data: unknown } | { readonly problems: readonly string[] };

export const readYaml = (file: string, name = file): YamlFile => {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as { code?: unknown };
    return { problems: [expectedGot(name, "a file that can be read", String(code))] };
  }
  if (text.length > MOST_CHARACTERS)
    return { problems: [expectedGot(name, `at most ${MOST_CHARACTERS} characters`, String(text.length))] };
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
  if (document.errors.length > 0)
    return {
      problems: document.errors.map((error) => {
        const { line, col } = lineCounter.linePos(error.pos[0]);
        return expectedGot(`${name}: line ${line}, column ${col}`, "YAML", error.message.split("\n")[0] ?? error.code);
      }),
    };
  try {
    return { data: document.toJS({ maxAliasCount: 100 }) };
  } catch (error) {
    return { problems: [expectedGot(name, "YAML", error instanceof Error ? error.message : String(error))] };
  }
};

/** `<file>: <path>: expected … got …` */
export const inFile = (name: string, errors: readonly FieldError[]): readonly string[] =>
  errors.map((error) => expectedGot(`${name}: ${error.field}`, error.expected, error.got));
