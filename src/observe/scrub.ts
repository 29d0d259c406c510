/**
 * What may stand in a log. Two nets, because either alone has holes: fields are known by their names, at any depth;
 * addresses, numbers and keys inside other text (a provider's refusal, a URL) are known by their shape.
 */
const SECRET_FIELDS: ReadonlySet<string> = new Set(
  (
    "to from recipient recipients sender address replyto envelope headers " +
    "body text html subject say content variables template metadata " +
    "authorization cookie key apikey adminkey password pass token authtoken accesstoken refreshtoken secret auth"
  ).split(" "),
);

const HIDDEN = "[redacted]";
const LONGEST_TEXT = 1_000;
const LONGEST_ERROR = 300;
const DEEPEST = 6;
const MOST_ITEMS = 50;

/** Cleaned before it is cut: half an address is known by nothing any more. */
const capped = (text: string, length: number): string =>
  text.length > length ? `${cleanText(text.slice(0, 4 * length)).slice(0, length)}…` : text;

/** Of an error its kind, its sentence and its code; its other properties (a request, a reply, an address) never. */
const cleanError = (error: Error, withStack: boolean): Record<string, unknown> => ({
  type: error.name,
  message: capped(error.message, LONGEST_ERROR),
  ...("code" in error && ["string", "number"].includes(typeof error.code) ? { code: error.code } : {}),
  ...(withStack && error.stack !== undefined ? { stack: capped(error.stack, 4_000) } : {}),
});

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
};

const cleanValue = (value: unknown, withStack: boolean, depth: number): unknown => {
  if (typeof value === "string") return capped(value, LONGEST_TEXT);
  if (typeof value !== "object" || value === null) return typeof value === "bigint" ? String(value) : value;
  if (value instanceof Error) return cleanError(value, withStack);
  if (value instanceof Date) return value;
  if (depth >= DEEPEST) return "[deeper]";
  if (Array.isArray(value)) return value.slice(0, MOST_ITEMS).map((item) => cleanValue(item, withStack, depth + 1));
  // A socket, a buffer, a request: whatever it carries was not meant for a log.
  if (!isPlain(value)) return `[${value.constructor.name}]`;
  return cleanFields(value, withStack, depth + 1);
};

/** The same fields with what must not be told taken out, and nothing long, deep or foreign left in. */
export const cleanFields = (fields: object, withStack: boolean, depth = 0): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]: [string, unknown]) => {
      const secret = SECRET_FIELDS.has(name.toLowerCase().replaceAll(/[-_]/g, ""));
      return [name, secret && value !== undefined && value !== null ? HIDDEN : cleanValue(value, withStack, depth)];
    }),
  );

/** Works on a line of JSON as well as on text: no pattern reaches over a quote or an escape. */
export const cleanText = (line: string): string =>
  line
    .replaceAll(/:\/\/[^\s"\\/@]*@/g, `://${HIDDEN}@`)
    .replaceAll(/\b(?:Bearer|Basic)\s+[^\s"\\]+/gi, HIDDEN)
    // API keys, refresh tokens, an operator's key that was made here, and access tokens.
    .replaceAll(/\b(?:sk_\w+|(?:rt|adm)_[\w-]{20,})/g, HIDDEN)
    .replaceAll(/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+/g, HIDDEN)
    .replaceAll(/[^\s"\\<>()[\],;:=/?&@]{1,128}(?:@|%40)[\p{L}\p{N}.-]+/gu, "[address]")
    .replaceAll(/(?:\+|%2B|\btel:)\d{7,15}\b/gi, "[number]");
