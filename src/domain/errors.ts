/**
 * The closed list of what can go wrong for a caller. The code is public and stable; the sentence says what was
 * expected and what was got. http/problem.ts turns these into answers; nothing else does.
 */
export interface FieldError {
  /** Where in the request: `to`, `messages[3].send_at`, `header Idempotency-Key`. */
  readonly field: string;
  readonly expected: string;
  readonly got: string;
}

export class SluiceError extends Error {
  override readonly name = "SluiceError";
  readonly code: string;
  readonly status: number;
  readonly extra: {
    readonly errors?: readonly FieldError[];
    readonly retryAfterSeconds?: number;
    /** The scope that was missing. */
    readonly scope?: string;
  };
  constructor(code: string, status: number, detail: string, extra: SluiceError["extra"] = {}) {
    super(detail);
    this.code = code;
    this.status = status;
    this.extra = extra;
  }
}

const define =
  <Args extends readonly unknown[]>(code: string, status: number, sentence: (...args: Args) => string) =>
  (...args: Args): SluiceError =>
    new SluiceError(code, status, sentence(...args));

/** Never half a character: whoever reads the answer may hold a lone surrogate for no JSON at all. */
const whole = (text: string): string => text.replaceAll(/\p{Surrogate}/gu, "\ufffd");

/** Characters of a value that are shown. */
const MOST_QUOTED = 80;

/**
 * As much of a value as is shown: each that is in it takes a character at least, so that what comes after the eightieth
 * is not seen. To write down megabytes of which nobody sees more than a line would hold up everybody.
 */
const beginningOf = (value: unknown): unknown => {
  let room = MOST_QUOTED;
  const begin = (part: unknown): unknown => {
    room--;
    if (typeof part === "string") return part.slice(0, MOST_QUOTED);
    if (typeof part !== "object" || part === null) return part;
    const isList = Array.isArray(part);
    const begun: [name: string, inner: unknown][] = [];
    for (const [name, inner] of Object.entries(isList ? part.slice(0, MOST_QUOTED) : part)) {
      if (room <= 0) break;
      begun.push([name.slice(0, MOST_QUOTED), begin(inner)]);
    }
    return isList ? begun.map(([, inner]) => inner) : Object.fromEntries(begun);
  };
  return begin(value);
};

/** A value as it may be quoted in an error: never more than 80 characters, control characters made visible. */
export const quoted = (value: unknown): string => {
  if (value === undefined) return "nothing";
  // JSON has no infinity, which is what becomes of 1e400.
  const text = typeof value === "number" ? String(value) : (JSON.stringify(beginningOf(value)) ?? typeof value);
  return text.length > MOST_QUOTED ? `${whole(text.slice(0, MOST_QUOTED - 1))}…` : text;
};

/** One or more fields are well-formed JSON but wrong. A field's name may be the caller's own, whatever is in it. */
export const invalidFields = (wrong: readonly FieldError[]): SluiceError => {
  const errors = wrong.map((error) => ({ ...error, field: whole(error.field) }));
  const sentences = errors.map(({ field, expected, got }) => `${field}: expected ${expected}, got ${got}`);
  return new SluiceError("invalid_request", 422, sentences.join("; "), { errors });
};
export const invalidField = (field: string, expected: string, got: unknown): SluiceError =>
  invalidFields([{ field, expected, got: quoted(got) }]);

export const malformed = define("malformed_request", 400, (why: string) => why);
export const unauthenticated = define("unauthenticated", 401, (why: string) => why);
/** Of a token, which is not what it should be, or no longer. */
export const invalidToken = define("invalid_token", 401, (why: string) => why);
export const tokenReused = define(
  "token_reused",
  401,
  () =>
    "this refresh token was used before: whoever has it may have stolen it, so none of its successors holds any longer; exchange the API key again",
);
export const insufficientScope = (scope: string, has: string): SluiceError =>
  new SluiceError("insufficient_scope", 403, `expected a key with the scope ${scope}, got one with ${has || "none"}`, {
    scope,
  });
export const planInUse = define(
  "plan_in_use",
  409,
  (plan: string, accounts: number) =>
    `expected a plan that no account has, got ${plan}, which ${accounts} ${accounts === 1 ? "account has" : "accounts have"}: give them another first`,
);
export const forbidden = define("forbidden", 403, (why: string) => why);
export const notFound = define(
  "not_found",
  404,
  (what: string, more?: string) => `there is no ${what} here${more ?? ""}`,
);
export const alreadySending = define(
  "already_sending",
  409,
  (id: string) =>
    `expected a message that has not left, got ${id}, which is being handed to its provider, or may have been`,
);
export const alreadyFinal = define(
  "already_final",
  409,
  (id: string, state: string) => `expected a message that still waits, got ${id}, which is ${state}`,
);
export const notReplayable = define(
  "not_replayable",
  409,
  (id: string, state: string) =>
    `expected a failed, undelivered or uncertain message whose body is still kept, got ${id}, which is ${state}`,
);
export const wouldExpire = define(
  "would_expire",
  409,
  (expected: string, expires: string) =>
    `it cannot go before it expires: the earliest is ${expected}, it expires at ${expires}`,
);
export const accountNotEmpty = define(
  "account_not_empty",
  409,
  (open: number) =>
    `expected an account with nothing waiting, got ${open} messages not yet ended; ?force=true cancels them`,
);
export const idempotencyRunning = define(
  "idempotency_running",
  409,
  () => "a request with this Idempotency-Key is still running: ask again in a second",
);
export const idempotencyMismatch = define(
  "idempotency_mismatch",
  422,
  () => "this Idempotency-Key was used with another body: expected the same body, or a new key",
);
export const channelNotConfigured = define(
  "channel_not_configured",
  422,
  (channel: string, variable: string) => `the channel ${channel} has no provider: set ${variable}`,
);
export const payloadTooLarge = define("payload_too_large", 413, (limit: string) => `expected at most ${limit}`);
export const unsupportedMediaType = define(
  "unsupported_media_type",
  415,
  (got: string, expected: string = "application/json") => `expected Content-Type ${expected}, got ${quoted(got)}`,
);
export const backlogFull = (cap: number): SluiceError =>
  new SluiceError(
    "backlog_full",
    429,
    `expected at most ${cap} waiting messages in the account, those of this request among them: wait until some have gone, or send fewer at once`,
    {
      retryAfterSeconds: 30,
    },
  );
export const tooManyRequests = (retryAfterSeconds: number): SluiceError =>
  new SluiceError("too_many_requests", 429, `expected fewer requests: try again in ${retryAfterSeconds} s`, {
    retryAfterSeconds,
  });
/** Others change it all the time, and this caller never had its turn. */
export const beingChanged = (what: string): SluiceError =>
  new SluiceError("unavailable", 503, `${what}: others change it all the time; nothing was changed, try again`, {
    retryAfterSeconds: 2,
  });

export const redisUnavailable = (why: string): SluiceError =>
  new SluiceError(
    "unavailable",
    503,
    `Redis does not answer (${why}): nothing was changed that you were told of, try again`,
    {
      retryAfterSeconds: 2,
    },
  );
/** Thrown before anything is written. A few seconds: workers make room all the time. */
export const overloaded = (): SluiceError =>
  new SluiceError("overloaded", 503, "Redis is nearly full: nothing was accepted, try again once messages have gone", {
    retryAfterSeconds: 10,
  });
export const requestTimeout = define(
  "request_timeout",
  408,
  () => "the request did not arrive in time: expected its headers within 10 s, and all of it within 30 s",
);
export const headersTooLarge = define("headers_too_large", 431, () => "expected at most 16 KB of headers");
export const internalError = define(
  "internal_error",
  500,
  () => "a mistake of ours, which is in the log under this request_id: the same request may be tried again",
);
