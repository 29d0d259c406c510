/** A call: the same request until it is answered, with waits in between, and never for longer than the caller's patience. */
import { type Clock, milliseconds, type Millis } from "../domain/time.ts";
import { readLimits } from "../domain/told-limits.ts";
import { exchange, type Exchanged, type Fetch, reasonOf } from "./exchange.ts";
import { type Answer, SluiceFailure } from "./failure.ts";
import { againIn, type Ended } from "./patience.ts";
import { type Refusal, refusalOf } from "./refusal.ts";
import { type Turnstile, turnstile } from "./turnstile.ts";
import type { Sleep } from "./waiting.ts";

export interface Question {
  /** Method and pattern, as in `GET /v1/messages/{id}`: the requests that are likely to share a limit. */
  readonly operation: string;
  readonly path: string;
  readonly body?: unknown;
  /** One for the whole call. */
  readonly idempotencyKey?: string;
}

/** How a request shows who asks. */
export interface Credentials {
  /** Null: it shows nothing. */
  authorization(signal: AbortSignal | undefined): Promise<string | null>;
  /** The server does not take it: true if another may be better. */
  refused(authorization: string | null): boolean;
}

export interface AskingParts {
  readonly baseUrl: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly sleep: Sleep;
  readonly random: () => number;
  /** Requests of one call, at most. */
  readonly attempts: number;
  /** A call, waits included. */
  readonly patience: Millis;
  /** One request. */
  readonly attemptTimeout: Millis;
}

/** A good answer, and how many requests it took. */
export interface Answered {
  readonly answer: Answer;
  readonly attempts: number;
}

export type Ask = (question: Question, credentials: Credentials, signal: AbortSignal | undefined) => Promise<Answered>;

const headersOf = ({ body, idempotencyKey }: Question, authorization: string | null): Record<string, string> => ({
  Accept: "application/json, application/problem+json",
  ...(authorization === null ? {} : { Authorization: authorization }),
  ...(body === undefined ? {} : { "Content-Type": "application/json" }),
  ...(idempotencyKey === undefined ? {} : { "Idempotency-Key": idempotencyKey }),
});

const isGood = ({ status }: Answer): boolean => status >= 200 && status < 300;
/** What it says of "later" is about everybody who asks for the same. */
const isAboutAll = (status: number): boolean => status === 429 || status === 503;

export const askingWith = (parts: AskingParts): Ask => {
  const { clock, sleep, random, attempts: most } = parts;
  const turnstiles = new Map<string, Turnstile>();
  const turnstileOf = (operation: string): Turnstile => {
    const known = turnstiles.get(operation) ?? turnstile(clock, sleep);
    turnstiles.set(operation, known);
    return known;
  };

  const once = async (
    question: Question,
    authorization: string | null,
    within: Millis,
    signal: AbortSignal | undefined,
  ): Promise<Exchanged> => {
    const { operation, path, body } = question;
    const init: RequestInit = {
      method: operation.split(" ", 1)[0] ?? "GET",
      headers: headersOf(question, authorization),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    return exchange(parts.fetch, parts.baseUrl + path, init, within, signal);
  };

  return async (question, credentials, signal) => {
    const began = clock.monotonic();
    const left = (): Millis => milliseconds(parts.patience - (clock.monotonic() - began));
    const time = { whole: parts.patience, left };
    const entrance = turnstileOf(question.operation);
    let last: Answer | null = null;
    let attempt = 0;
    let isReplaced = false;

    const failed = (ended: Exchanged | null, refusal: Refusal | null, retryIn?: Millis): SluiceFailure => {
      const facts = { attempts: attempt, answer: last, retryIn, requestId: refusal?.requestId ?? null };
      const { operation } = question;
      if (ended === null)
        return new SluiceFailure(`${operation}: its turn did not come in time`, { code: "out_of_patience", ...facts });
      if (refusal === null || ended.kind === "lost") {
        const cause = ended.kind === "lost" ? ended.cause : undefined;
        const times = `${attempt} ${attempt === 1 ? "request" : "requests"}`;
        const why = reasonOf(cause);
        const message = `${operation}: no answer to ${times}${why === null ? "" : ` (${why})`}`;
        return new SluiceFailure(message, { code: "no_answer", ...facts, cause });
      }
      const { code, detail, errors } = refusal;
      return new SluiceFailure(`${operation}: ${detail}`, { code, ...facts, errors });
    };

    for (;;) {
      const authorization = await credentials.authorization(signal);
      if (!(await entrance.enter(time, signal))) throw failed(null, last === null ? null : refusalOf(last));
      attempt++;
      const within = milliseconds(Math.max(1, Math.min(parts.attemptTimeout, left())));
      let ended: Exchanged = { kind: "lost", cause: undefined };
      let retryIn: Millis | undefined;
      try {
        ended = await once(question, authorization, within, signal);
      } finally {
        if (ended.kind === "lost") entrance.leave(null);
        else {
          const { status, headers, body } = ended;
          const { retryIn: told, ...limits } = readLimits({ status, header: (n) => headers.get(n), body }, clock.now());
          retryIn = told;
          entrance.leave(told !== undefined && isAboutAll(status) ? { ...limits, retryIn: told } : limits);
        }
      }
      if (ended.kind === "answer") {
        last = { status: ended.status, headers: ended.headers, body: ended.body };
        if (isGood(last)) return { answer: last, attempts: attempt };
        // Once in a call: a second refusal is an answer.
        if (ended.status === 401 && !isReplaced && credentials.refused(authorization)) {
          isReplaced = true;
          continue;
        }
      }
      const refusal = ended.kind === "answer" && last !== null ? refusalOf(last) : null;
      const how: Ended =
        ended.kind === "lost" ? ended : { kind: "answer", status: ended.status, code: refusal?.code ?? "", retryIn };
      const wait = againIn(how, attempt - 1, random);
      // What cannot come in time is not waited for: the caller has better things to do.
      if (wait === null || attempt >= most || wait >= left()) throw failed(ended, refusal, retryIn);
      await sleep(wait, signal);
    }
  };
};
