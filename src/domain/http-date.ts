/** Dates as HTTP writes them (RFC 9110, 5.6.7), which are always UTC's: the oldest of their three forms does not say so. */
import { instant, type Instant } from "./time.ts";

/** Only what looks like one: Date.parse finds a year in "-5". */
const LOOKS_LIKE_ONE = /^\s*[A-Za-z]{3}/;
const SAYS_ITS_ZONE = /(?:[A-Z]|[+-]\d{2}:?\d{2})\s*$/i;

/** Null for what is none. */
export const httpDate = (text: string): Instant | null => {
  if (!LOOKS_LIKE_ONE.test(text)) return null;
  const at = Date.parse(SAYS_ITS_ZONE.test(text) ? text : `${text} GMT`);
  return Number.isNaN(at) ? null : instant(at);
};
