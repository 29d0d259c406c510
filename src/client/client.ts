/**
 * The client library: `createClient({ baseUrl, apiKey })`. It waits where the server asks it to, slows down before it has
 * to be asked, and sends nothing twice. Needs `fetch` and nothing else. docs/client.md has an example.
 */
import { type Clock, milliseconds, seconds, systemClock } from "../domain/time.ts";
import { askingWith, type Question } from "./asking.ts";
import type { CallOptions } from "./call.ts";
import type { Fetch } from "./exchange.ts";
import { SluiceFailure } from "./failure.ts";
import * as looking from "./looking.ts";
import * as sending from "./sending.ts";
import { keyCredentials, tokenCredentials } from "./tokens.ts";
import { sleep as reallySleep, type Sleep } from "./waiting.ts";

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

export const createClient = (options: ClientOptions) => {
  const { apiKey, clock = systemClock, random = Math.random, sleep = reallySleep } = options;
  const baseUrl = options.baseUrl.replace(/\/+$/, "");
  // Nothing of it is shown: it may hold a password.
  if (!/^https?:\/\//.test(baseUrl)) throw new TypeError("expected baseUrl to begin with http, got something else");
  if (/[?#]/.test(baseUrl)) throw new TypeError("expected baseUrl to be a URL without ? and #, got something else");
  // Fetch would refuse it as if the connection were lost.
  const { username, password } = URL.canParse(baseUrl) ? new URL(baseUrl) : { username: null, password: null };
  if (username !== "" || password !== "")
    throw new TypeError("expected baseUrl to be a URL without user and password, got something else");
  // Here, and without showing it: what refuses a header quotes it.
  if (!/^[\x21-\x7e]+$/.test(apiKey))
    throw new TypeError("expected apiKey to be one word of printable ASCII, got something else");
  const ask = askingWith({
    baseUrl,
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    clock,
    sleep,
    random,
    attempts: options.attempts ?? 5,
    patience: milliseconds(options.patience ?? seconds(60)),
    attemptTimeout: milliseconds(options.attemptTimeout ?? seconds(30)),
  });
  const credentials = options.useTokens ? tokenCredentials(apiKey, ask, clock) : keyCredentials(apiKey);

  const get = async <Body>(question: Question, call: CallOptions | undefined): Promise<Body> => {
    const { answer, attempts } = await ask(question, credentials, call?.signal);
    if (answer.status === 204) return null as Body;
    if (typeof answer.body === "object" && answer.body !== null) return answer.body as Body;
    throw new SluiceFailure(`${question.operation}: expected JSON, got something else`, {
      code: "unreadable_answer",
      attempts,
      answer,
      requestId: answer.headers.get("x-request-id"),
    });
  };
  return { ...sending.methods(get), ...looking.methods(get) };
};

export type SluiceClient = ReturnType<typeof createClient>;

export { SluiceFailure } from "./failure.ts";
