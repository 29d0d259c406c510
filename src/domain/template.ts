/** Templates: `{{name}}` stands for a recipient's variable. No logic, no paths, no helpers: what is not a name is text. */

const PLACEHOLDER = /\{\{ {0,4}([A-Za-z_][A-Za-z0-9_]{0,63}) {0,4}\}\}/g;
const NO_PLACEHOLDER = /\{\{(?! {0,4}[A-Za-z_][A-Za-z0-9_]{0,63} {0,4}\}\})/;

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export type Markup = "text" | "html";

/** A variable as it may stand in that markup: in html it is text, never a tag or the end of an attribute. */
export const written = (value: string, markup: Markup): string =>
  markup === "html" ? value.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character) : value;

/** As schemas count them, so that a limit is the same wherever it is held: a pair of surrogates is one. */
const charactersIn = (text: string): number => {
  let length = text.length;
  for (let at = 0; at < text.length; at++) if ((text.charCodeAt(at) & 0xfc00) === 0xdc00) length--;
  return length;
};

/** The characters of `written`, counted without writing it: of megabytes of "&" five times as many would be made. */
export const writtenLength = (value: string, markup: Markup): number => {
  let length = charactersIn(value);
  if (markup === "html")
    for (let at = 0; at < value.length; at++) length += (ESCAPES[value.charAt(at)]?.length ?? 1) - 1;
  return length;
};

/**
 * The first place where braces open and no variable's name follows: `{{first.name}}`, `{{#if x}}`, `{{{x}}}`. From there to the
 * text's end; null: there is none. Whoever writes that takes us for another engine, and would send it to everybody as it is.
 */
export const foreignIn = (text: string): string | null => {
  const at = text.search(NO_PLACEHOLDER);
  return at === -1 ? null : text.slice(at);
};

/** How often each variable is used, and how many characters the rest has. */
export const usesIn = (text: string): { readonly uses: ReadonlyMap<string, number>; readonly fixed: number } => {
  const uses = new Map<string, number>();
  let fixed = charactersIn(text);
  for (const [whole, name = ""] of text.matchAll(PLACEHOLDER)) {
    uses.set(name, (uses.get(name) ?? 0) + 1);
    fixed -= whole.length;
  }
  return { uses, fixed };
};

/** One pass: what a variable brings in is not looked at again. A variable that is missing leaves its placeholder. */
export const fillIn = (text: string, variables: Readonly<Record<string, string>>, markup: Markup): string =>
  text.replace(PLACEHOLDER, (whole, name: string) =>
    Object.hasOwn(variables, name) ? written(variables[name] ?? "", markup) : whole,
  );
