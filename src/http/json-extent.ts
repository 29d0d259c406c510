/** How much a body holds, counted on its bytes before they are parsed, and how much it may hold. */

/** The deepest thing the contract knows has 6 levels; metadata may have its own. */
export const DEEPEST = 32;
/** Fields of one object. The contract's largest has 100 (variables), 4 KB of metadata fewer than this. */
export const MOST_FIELDS = 1_000;

export interface Extent {
  /** Values, counted by the commas between them and by the lists and objects that hold them. */
  readonly values: number;
  /** Of these, lists and objects: to make one costs as much as five numbers or more. */
  readonly nested: number;
}

/**
 * What any request but a bulk has, twice over: 200 plans with all that one may say, 36 values each. (An email has 13 fields, 50
 * headers, and 4 KB of metadata, which are two thousand values if all of it is one list of digits.)
 */
export const ONE_REQUEST: Extent = { values: 15_000, nested: 4_000 };

/**
 * Ten thousand recipients: each is one, is parted from the next by a comma and has three between its four fields, and a
 * hundred variables and metadata of five fields begin once and part four and ninety-nine times: 110, or 1,100,000.
 * A thousand messages are fewer: 15 for each and its fields, 50 for its headers, and 700 for 4 KB of metadata, whose
 * fields have six bytes at least. (Metadata that is nothing but a list of digits could be more, and is nobody's.)
 * Lists and objects: 250 for each message, of which all but two are in its metadata; or 25 for each recipient.
 */
export const BULK: Extent = { values: 1_100_000, nested: 250_000 };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;

export interface Measure {
  /** Why the body is not parsed, or null. */
  readonly excess: string | null;
  /** Of all objects in it, if it is JSON. */
  readonly named: number;
}

const tooMuch = (excess: string): Measure => ({ excess, named: 0 });

/** A name is looked through here, a longer text by the system: to call that costs as much as some fifty bytes. */
const NEAR = 32;

/** Where a string's closing quote is; past the end if there is none. */
export const endOfString = (json: Buffer, start: number): number => {
  let at = start + 1;
  while (at < json.length) {
    for (const near = Math.min(at + NEAR, json.length); at < near; at++) {
      if (json[at] === QUOTE) return at;
      if (json[at] === BACKSLASH) at++;
    }
    const quote = json.indexOf(QUOTE, at);
    if (quote === -1) break;
    let escapes = 0;
    while (quote - escapes > at && json[quote - escapes - 1] === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return quote;
    at = quote + 1;
  }
  return json.length;
};

/** Of each level that is open, how many fields its object has so far: to make one for each body costs more than to count. */
const fields = new Uint32Array(DEEPEST + 1);

/**
 * Counted on the bytes, before anything recursive sees them: 100,000 brackets must not cost a stack, nor sixteen
 * megabytes of tiny values or of one object's fields the event loop's seconds.
 */
export const measure = (json: Buffer, { values: mostValues, nested: mostNested }: Extent): Measure => {
  let named = 0;
  fields[0] = 0;
  let depth = 0;
  let values = 0;
  let nested = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) at = endOfString(json, at);
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > DEEPEST) return tooMuch(`JSON of at most ${DEEPEST} levels`);
      fields[depth] = 0;
      if (++nested > mostNested) return tooMuch(`JSON of at most ${mostNested} lists and objects`);
      if (++values > mostValues) return tooMuch(`JSON of at most ${mostValues} values`);
    } else if (byte === 0x5d || byte === 0x7d) depth = Math.max(0, depth - 1);
    else if (byte === COMMA && ++values > mostValues) return tooMuch(`JSON of at most ${mostValues} values`);
    else if (byte === COLON) {
      named++;
      if (++fields[depth]! > MOST_FIELDS) return tooMuch(`at most ${MOST_FIELDS} fields in an object`);
    }
  }
  return { excess: null, named };
};
