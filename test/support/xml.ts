/** A strict reader of small XML: what a document's elements are, or an error. For judging what a builder has built. */

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly depth: number;
  text: string;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

const decoded = (text: string): string => {
  if (text.includes("<") || /&(?!(?:lt|gt|amp|quot|apos|#\d+|#x[0-9a-fA-F]+);)/.test(text))
    throw new Error(`not text: ${text}`);
  return text.replace(/&(#x?)?(\w+);/g, (_all, numeric: string | undefined, name: string) => {
    if (numeric === undefined) return ENTITIES[name] ?? "";
    return String.fromCodePoint(Number.parseInt(name, numeric === "#x" ? 16 : 10));
  });
};

export const elementsOf = (document: string): Element[] => {
  // XML 1.0's Char: anything else makes a document that no parser may accept.
  if (/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.test(document))
    throw new Error("not an XML character");
  const found: Element[] = [];
  const open: Element[] = [];
  let rest = document.replace(/^<\?xml [^?]*\?>/, "");
  while (rest !== "") {
    const text = /^[^<]+/.exec(rest)?.[0];
    const closing = /^<\/(\w+)>/.exec(rest);
    const opening = /^<(\w+)((?: [\w:]+="[^"<]*")*)(\/?)>/.exec(rest);
    if (text !== undefined) {
      if (text.includes("]]>")) throw new Error(`not text: ${text}`);
      const inside = open.at(-1);
      if (inside !== undefined) inside.text += decoded(text);
      else if (text.trim() !== "") throw new Error(`text outside: ${text}`);
    } else if (closing !== null) {
      if (open.pop()?.name !== closing[1]) throw new Error(`closed what was not open: ${closing[0]}`);
    } else if (opening !== null) {
      const pairs = [...(opening[2] ?? "").matchAll(/([\w:]+)="([^"]*)"/g)];
      const attributes = Object.fromEntries(pairs.map(([, name, value]) => [name ?? "", decoded(value ?? "")]));
      const element: Element = { name: opening[1] ?? "", attributes, depth: open.length, text: "" };
      found.push(element);
      if (opening[3] === "") open.push(element);
    } else throw new Error(`not XML: ${rest.slice(0, 40)}`);
    rest = rest.slice((text ?? closing?.[0] ?? opening?.[0] ?? rest).length);
  }
  if (open.length > 0) throw new Error(`left open: ${open.at(-1)?.name}`);
  return found;
};
