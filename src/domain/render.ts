/**
 * A template filled with one recipient's variables. `{{name}}` is the whole language: whoever writes a template can
 * make it say nothing but what the recipient's variables hold.
 */

/** Where a value ends up: in html it must not become markup, in a subject or header it must not begin another line. */
export type Place = "html" | "text" | "header";

/**
 * Names are letters, digits, _ and . (a dot is part of the name, not a path). Names and the spaces around them are
 * bounded, so that a text full of braces is read in linear time.
 */
const VARIABLE = /\{\{ {0,8}([A-Za-z0-9_.]{1,100}) {0,8}\}\}/g;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const FITTED: { readonly [place in Place]: (value: string) => string } = {
  html: (value) => value.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? ""),
  text: (value) => value,
  // Every line end there is, and NUL, at which some mailers stop reading.
  header: (value) => value.replaceAll(/[\r\n\0\v\f\u0085\u2028\u2029]+/g, " "),
};

/** The names that the template asks for. */
export const variablesOf = (template: string): Set<string> =>
  new Set(Array.from(template.matchAll(VARIABLE), ([, name = ""]) => name));

/** Names that the template asks for and the recipient does not have. A variable named `constructor` is one like any. */
export const missingVariables = (template: string, variables: Readonly<Record<string, string>>): string[] =>
  [...variablesOf(template)].filter((name) => !Object.hasOwn(variables, name));

/**
 * Fills the template in one pass: what a variable brings in is not read again, so a value of `{{secret}}` stays those
 * ten characters. A name without a value becomes nothing; refuse it beforehand with `missingVariables`.
 */
export const render = (template: string, variables: Readonly<Record<string, string>>, place: Place): string =>
  template.replaceAll(VARIABLE, (_, name: string) =>
    Object.hasOwn(variables, name) ? FITTED[place](variables[name] ?? "") : "",
  );
