/**
 * What an answer tells of API limits, whoever gave it: a pure reading of MigoSMTP's and Telnxo's, Monogoto's, Mojeeb's,
 * IPTO's and TagoIO's answers, of the IETF drafts and of our own. Everybody's nonsense is left out, and nothing throws:
 * an answer came from outside, and what it says of limits is only ever advice.
 */
import { httpDate } from "./http-date.ts";
import { readRateLimitField, type ToldWindow } from "./ratelimit-fields.ts";
import { days, type Instant, milliseconds, type Millis, seconds } from "./time.ts";

export interface ToldLimits {
  /** Requests in a window; of several windows, of the tightest. */
  readonly limit?: number;
  readonly remaining?: number;
  readonly resetIn?: Millis;
  /** Only of a refusal (429, or any error with Retry-After): not sooner than this. */
  readonly retryIn?: Millis;
}

export interface ToldBy {
  readonly status: number;
  /** By its name, in any case; several of one name joined by commas, as fetch and Node do. Null: there is none. */
  readonly header: (name: string) => string | null;
  /** As it was parsed, or as text. */
  readonly body: unknown;
}

/**
 * Longer than any window of the six systems (a day), and a length that all databases can hold. Not an hour:
 * who must wait a day is not to be told an hour. Those who act on it have limits of their own (a channel is never closed
 * for more than an hour, domain/backoff.ts; a client gives up).
 */
const LONGEST = days(31);

/** More requests than anybody's limit: a number beyond it is a mistake. */
const MOST_REQUESTS = 1e12;

const wait = (ms: number): Millis => milliseconds(Math.min(Math.max(Math.ceil(ms), 0), LONGEST));

/** Numbers as they stand in headers, or undefined: no signs, no exponents, no words. `60;w=60` is 60. */
const numberIn = (text: string): number | undefined => {
  const [, digits] = /^\s*(\d{1,15}(?:\.\d{1,9})?)\s*(?:;.*)?$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits);
};

/** Also in front of a comma, which a date has after its first word. */
const LISTED = /,(?!\s*\d{2}[ -][A-Za-z]{3})/;

/** A date by the answer's own clock, which wrote it; ours is the last resort. */
const untilDate = (text: string, clock: Instant): number | undefined => {
  const at = httpDate(text);
  return at === null ? undefined : at - clock;
};

/** Seconds; or an instant, in seconds or milliseconds since the epoch: a delta of 10⁹ s would be 31 years. */
const untilReset = (text: string, clock: Instant): number | undefined => {
  const number = numberIn(text);
  if (number === undefined) return untilDate(text, clock);
  if (number >= 1e11) return number - clock;
  return number >= 1e9 ? number * 1_000 - clock : number * 1_000;
};

const retryAfter = (text: string, clock: Instant): number | undefined => {
  const number = numberIn(text);
  return number === undefined ? untilDate(text, clock) : number * 1_000;
};

/** A header that came several times (a proxy's and the origin's): each is read, and what is nonsense left out. */
const each = <T>(header: string | null, read: (text: string) => T | undefined): readonly T[] =>
  (header ?? "")
    .slice(0, 1_024)
    .split(LISTED)
    .flatMap((text) => read(text) ?? []);

const smallest = (numbers: readonly number[]): number | undefined =>
  numbers.length === 0 ? undefined : Math.min(...numbers);
const largest = (numbers: readonly number[]): number | undefined =>
  numbers.length === 0 ? undefined : Math.max(...numbers);

/** `X-RateLimit-Limit` and so on. Said twice, the tighter counts. */
const separate = (prefix: string, { header }: ToldBy, clock: Instant): ToldWindow | null => {
  const limits = each(header(`${prefix}-limit`), numberIn);
  // Draft 3 lists its policies behind the limit: `100, 100;w=60, 1000;w=3600`.
  const limit = prefix === "ratelimit" ? limits[0] : smallest(limits);
  const remaining = smallest(each(header(`${prefix}-remaining`), numberIn));
  const reset = largest(each(header(`${prefix}-reset`), (text) => untilReset(text, clock)));
  if (limit === undefined && remaining === undefined && reset === undefined) return null;
  return { limit, remaining, reset: reset === undefined ? undefined : reset / 1_000 };
};

/** The first that is there: fields that tell the same twice would only be mixed up. */
const windowOf = (answer: ToldBy, clock: Instant): ToldWindow | null => {
  const field = answer.header("ratelimit");
  const ietf = field === null ? null : readRateLimitField(field, answer.header("ratelimit-policy"));
  return (
    ietf ??
    separate("ratelimit", answer, clock) ??
    separate("x-ratelimit", answer, clock) ??
    separate("x-rate-limit", answer, clock)
  );
};

const fieldsOf = (body: unknown): Readonly<Record<string, unknown>> => {
  if (typeof body === "object" && body !== null) return body as Readonly<Record<string, unknown>>;
  if (typeof body !== "string" || body.length > 100_000 || !/^\s*\{/.test(body)) return {};
  try {
    return fieldsOf(JSON.parse(body));
  } catch {
    return {};
  }
};

/** IPTO's `retry_after`, and TagoIO's "(Retry-After: 8)": neither promises a header. */
const retryInBody = (body: unknown): readonly number[] => {
  const { retry_after: asked, message } = fieldsOf(body);
  const told = typeof asked === "number" ? String(asked) : asked;
  const number = typeof told === "string" ? numberIn(told) : undefined;
  const text = typeof message === "string" ? message.slice(0, 1_000) : "";
  const [, digits] = /\bretry-after\s*:\s*(\d{1,9})\b/i.exec(text) ?? [];
  return [...(number === undefined ? [] : [number]), ...(digits === undefined ? [] : [Number(digits)])];
};

const TOO_MANY_REQUESTS = 429;

const retryIn = (answer: ToldBy, clock: Instant, resetIn: Millis | undefined): Millis | undefined => {
  if (answer.status < 400) return undefined;
  const inHeader = each(answer.header("retry-after"), (text) => retryAfter(text, clock));
  const inBody = answer.status === TOO_MANY_REQUESTS ? retryInBody(answer.body).map((s) => seconds(s)) : [];
  const told = largest([...inHeader, ...inBody]);
  if (told !== undefined) return wait(told);
  // Refused, and not told for how long: when the window ends is the next best.
  return answer.status === TOO_MANY_REQUESTS ? resetIn : undefined;
};

/** @param now by this machine: only for an answer without a Date of its own */
export const readLimits = (answer: ToldBy, now: Instant): ToldLimits => {
  const clock = httpDate(answer.header("date") ?? "") ?? now;
  const window = windowOf(answer, clock);
  const told = (number: number | undefined): number | undefined =>
    number !== undefined && number <= MOST_REQUESTS ? Math.floor(number) : undefined;
  const limit = told(window?.limit);
  const remaining = told(window?.remaining);
  const resetIn = window?.reset === undefined ? undefined : wait(seconds(window.reset));
  const retry = retryIn(answer, clock, resetIn);
  return {
    ...(limit === undefined ? {} : { limit }),
    ...(remaining === undefined ? {} : { remaining }),
    ...(resetIn === undefined ? {} : { resetIn }),
    ...(retry === undefined ? {} : { retryIn: retry }),
  };
};
