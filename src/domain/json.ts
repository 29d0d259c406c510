/**
 * JSON of records whose fields are mostly texts, as JSON.stringify writes it. That looks at one character after the other, which
 * is most of what a short answer costs; here one pattern finds out that a text has nothing to escape.
 */

/** What JSON.stringify writes in another way than it stands: all but these. */
const IS_ESCAPED = /[^ !#-[\]-\ud7ff\ue000-\uffff]/;

const textJson = (text: string): string => (IS_ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`);

/** @param value of what JSON has; a list is left to JSON.stringify, and fields that are undefined are left out, as there */
export const recordJson = (value: object): string => {
  if (Array.isArray(value)) return JSON.stringify(value);
  const record = value as Readonly<Record<string, unknown>>;
  let json = "";
  for (const name in record) {
    const field = record[name];
    if (field === undefined) continue;
    const text = typeof field === "string" ? textJson(field) : field === null ? "null" : JSON.stringify(field);
    json += `${json === "" ? "{" : ","}${textJson(name)}:${text}`;
  }
  return json === "" ? "{}" : `${json}}`;
};
