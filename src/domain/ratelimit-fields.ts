/**
 * The IETF's fields as they have been over the years: `RateLimit: "email-send";r=247;t=23` (drafts 8 to 11, a list of
 * items with `RateLimit-Policy` beside it), `RateLimit: limit=100, remaining=50, reset=30` (draft 7). Malformed fields are
 * ignored as a whole, as the draft asks.
 */

/** One window, in requests and seconds; what is not told is undefined. */
export interface ToldWindow {
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
  readonly reset: number | undefined;
}

/** Longer than any honest field: a list of ten windows has 400 characters. */
const LONGEST_FIELD = 8_192;

const NAME = String.raw`"(?:[^"\\]|\\["\\])*"|[A-Za-z*][\w:/!#$%&'*+.^|~-]*`;
const PARAMETER = String.raw`[ ]*;[ ]*[a-z*][a-z0-9_.*-]*(?:=(?:"(?:[^"\\]|\\["\\])*"|:[A-Za-z0-9+/=]*:|[^\s";,=]+))?`;
const ITEM = new RegExp(`(${NAME})((?:${PARAMETER})*)[ \\t]*(,[ \\t]*|$)`, "y");
const NUMBER_PARAMETER = /;[ ]*([a-z])=(\d{1,15})(?=[ ]*(?:;|$))/g;

interface Item {
  readonly name: string;
  readonly numbers: ReadonlyMap<string, number>;
}

/** A list of items with parameters (RFC 9651), as far as the draft uses it; null when it is anything else. */
const itemsOf = (field: string): readonly Item[] | null => {
  const text = field.trim();
  if (text === "" || text.length > LONGEST_FIELD) return null;
  const items: Item[] = [];
  ITEM.lastIndex = 0;
  for (let ended = false; !ended;) {
    const [whole, name = "", parameters = "", end] = ITEM.exec(text) ?? [];
    if (whole === undefined) return null;
    // What stands in a string is not a parameter.
    const bare = parameters.replace(/"(?:[^"\\]|\\["\\])*"/g, '""');
    const numbers = new Map([...bare.matchAll(NUMBER_PARAMETER)].map(([, key = "", digits]) => [key, Number(digits)]));
    items.push({ name: name.startsWith('"') ? name.slice(1, -1).replace(/\\(.)/g, "$1") : name, numbers });
    ended = end === "";
  }
  return items;
};

/** By share of its limit; where the limit is not told, only one that is spent counts as tight. */
const shareLeft = ({ limit, remaining }: ToldWindow): number => {
  if (remaining === undefined) return 1;
  if (remaining === 0) return 0;
  return limit === undefined || limit === 0 ? 1 : remaining / limit;
};

/** The one with least left; of two, the one that lasts longer. */
const tightestOf = (windows: readonly ToldWindow[]): ToldWindow | null =>
  windows.reduce<ToldWindow | null>((least, each) => {
    if (least === null) return each;
    const difference = shareLeft(each) - shareLeft(least);
    return difference < 0 || (difference === 0 && (each.reset ?? 0) > (least.reset ?? 0)) ? each : least;
  }, null);

const listed = (field: string, policies: string | null): ToldWindow | null => {
  const items = itemsOf(field);
  if (items === null || items.some(({ numbers }) => !numbers.has("r"))) return null;
  const limitOf = new Map((itemsOf(policies ?? "") ?? []).map(({ name, numbers }) => [name, numbers.get("q")]));
  return tightestOf(
    items.map(({ name, numbers }) => ({
      limit: limitOf.get(name),
      remaining: numbers.get("r"),
      reset: numbers.get("t"),
    })),
  );
};

const combined = (field: string): ToldWindow | null => {
  if (field.length > LONGEST_FIELD) return null;
  const members = new Map<string, number>();
  for (const member of field.split(",")) {
    const [, key, digits] = /^[ \t]*([a-z*][a-z0-9_.*-]*)[ ]*=[ ]*(\d{1,15})[ \t]*(?:;.*)?$/.exec(member) ?? [];
    if (key === undefined) return null;
    members.set(key, Number(digits));
  }
  if (!members.has("remaining")) return null;
  return { limit: members.get("limit"), remaining: members.get("remaining"), reset: members.get("reset") };
};

/** The tightest window that the field `RateLimit` tells of. */
export const readRateLimitField = (field: string, policies: string | null): ToldWindow | null =>
  listed(field, policies) ?? combined(field);
