/**
 * What a client is made with, held to what it must be: a mistake made here would read as a server that does not answer.
 * Neither the address nor the key is shown in an error.
 */
import { type Clock, milliseconds, type Millis, seconds } from "../domain/time.ts";
import type { Fetch } from "./exchange.ts";
import type { Sleep } from "./waiting.ts";

export interface ClientOptions {
  /** `https://sluice.example.com`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Exchange the key for short-lived access tokens, so that it travels once in a while and not with every request. */
  readonly useTokens?: boolean;
  /** Requests of one call, at most; 5. */
  readonly attempts?: number;
  /** Ms that a call may take, its waits included; 60,000. What is known not to come in time is not waited for. */
  readonly patience?: number;
  /** Ms that one request may take; 30,000. */
  readonly attemptTimeout?: number;
  /** Instead of the global one. */
  readonly fetch?: Fetch;
  /** For tests. */
  readonly clock?: Clock;
  readonly sleep?: Sleep;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

const unmet = (expected: string, got: unknown): never => {
  throw new TypeError(`expected ${expected}, got ${got === undefined || got === null ? "nothing" : "something else"}`);
};

/** Without the slashes at its end. */
const readBaseUrl = (value: unknown): string => {
  if (typeof value !== "string" || !/^https?:\/\//.test(value)) return unmet("baseUrl to begin with http", value);
  if (!URL.canParse(value)) return unmet("baseUrl to be a URL", value);
  if (/[?#]/.test(value)) return unmet("baseUrl to be a URL without ? and #", value);
  const { username, password } = new URL(value);
  // Fetch would refuse it as if the connection were lost.
  if (username !== "" || password !== "") return unmet("baseUrl to be a URL without user and password", value);
  return value.replace(/\/+$/, "");
};

/** What refuses a header later quotes it. */
const readApiKey = (value: unknown): string =>
  typeof value === "string" && /^[\x21-\x7e]+$/.test(value)
    ? value
    : unmet("apiKey to be one word of printable ASCII", value);

/** From 1 up; Infinity is one, too. */
const readNumber = (name: string, value: unknown, what: string): number => {
  if (typeof value === "number" && value >= 1) return value;
  const got = typeof value === "number" ? String(value) : value === null ? "null" : `a ${typeof value}`;
  throw new TypeError(`expected ${name} to be ${what} from 1 up, got ${got}`);
};
const readMillis = (name: string, value: unknown): Millis =>
  milliseconds(readNumber(name, value, "a number of milliseconds"));

/** @throws TypeError that says which of them, what was expected and what was got */
export const readOptions = (options: ClientOptions) => {
  // Who writes JavaScript may hand in anything, or nothing.
  const given: { readonly [name in keyof ClientOptions]?: unknown } =
    options ?? unmet("options with baseUrl and apiKey", options);
  const { attempts = 5, patience = seconds(60), attemptTimeout = seconds(30) } = given;
  return {
    baseUrl: readBaseUrl(given.baseUrl),
    apiKey: readApiKey(given.apiKey),
    attempts: readNumber("attempts", attempts, "a number"),
    patience: readMillis("patience", patience),
    attemptTimeout: readMillis("attemptTimeout", attemptTimeout),
  };
};
