import { describe, expect, it } from "@jest/globals";
import { parseRateLimit } from "ratelimit-header-parser";
import { parseList, type Item } from "structured-headers";
import { Value } from "typebox/value";
import { hours, instant, minutes, seconds, type Millis } from "../../src/domain/time.ts";
import { Problem } from "../../src/http/schemas/problem.ts";
import type { Decision, Standing } from "../../src/ratelimit/decision.ts";
import { DIALECTS, dialectNamed } from "../../src/ratelimit/dialects/by-name.ts";

const AT = instant(1_717_754_437_000);

const windowOf = (more: Partial<Standing> = {}): Standing => ({
  rule: "email-send",
  kind: "rolling",
  length: minutes(1),
  limit: 300,
  remaining: 247,
  resetIn: seconds(23),
  ...more,
});
const admitting = (...standings: readonly Standing[]): Decision => ({
  admitted: true,
  at: AT,
  standings,
  violated: [],
  retryIn: 0 as Millis,
});
const refusing = (retryIn: Millis, violated: readonly Standing[], others: readonly Standing[] = []): Decision => ({
  admitted: false,
  at: AT,
  standings: [...violated, ...others],
  violated,
  retryIn,
});
const spent = (resetIn: Millis, more: Partial<Standing> = {}) => windowOf({ remaining: 0, resetIn, ...more });

const speaking = (name: string) => {
  const dialect = dialectNamed(name);
  if (!dialect) throw new Error(`no dialect ${name}`);
  return dialect;
};
/** The bytes of a 429's body. */
const bodyOf = (name: string, decision: Decision): string =>
  JSON.stringify(speaking(name).refusal(decision, "req_1").body);

const ADMITTED = admitting(windowOf());
const REFUSED = refusing(seconds(23), [spent(seconds(23))]);

describe("MigoSMTP's and Telnxo's dialect", () => {
  it.each(["migosmtp", "telnxo"])("(%s) has limit, remaining and reset on every answer", (name) => {
    expect(speaking(name).headers(ADMITTED)).toEqual({
      "X-RateLimit-Limit": "300",
      "X-RateLimit-Remaining": "247",
      "X-RateLimit-Reset": "1717754460",
    });
    expect(speaking(name).headers(REFUSED)).toEqual({
      "X-RateLimit-Limit": "300",
      "X-RateLimit-Remaining": "0",
      "X-RateLimit-Reset": "1717754460",
      "Retry-After": "23",
    });
    expect(bodyOf(name, REFUSED)).toBe(
      '{"success":false,"error":"rate_limit_exceeded","message":"Too many requests: please retry after 23 seconds.","code":429}',
    );
  });
});

describe("Monogoto's dialect", () => {
  it("has limit and remaining on every answer, and never a reset", () => {
    const of1000 = { limit: 1_000, remaining: 843 };
    expect(speaking("monogoto").headers(admitting(windowOf(of1000)))).toEqual({
      "X-RateLimit-Limit": "1000",
      "X-RateLimit-Remaining": "843",
    });
    const refused = refusing(seconds(47), [spent(seconds(47), { limit: 60 })]);
    expect(speaking("monogoto").headers(refused)).toEqual({
      "X-RateLimit-Limit": "60",
      "X-RateLimit-Remaining": "0",
      "Retry-After": "47",
    });
    expect(bodyOf("monogoto", refused)).toBe(
      '{"status_code":429,"message":"Rate limit exceeded: retry after 47 seconds.","request_id":"req_1"}',
    );
  });
});

describe("Mojeeb's dialect", () => {
  const refused = refusing(seconds(60), [spent(seconds(60), { limit: 60, kind: "fixed" })]);

  it("has headers on a 429 only", () => {
    expect(speaking("mojeeb").headers(ADMITTED)).toEqual({});
    expect(speaking("mojeeb").headers(refused)).toEqual({
      "Retry-After": "60",
      "X-RateLimit-Limit": "60",
      "X-RateLimit-Remaining": "0",
      "X-RateLimit-Reset": "1717754497",
    });
    expect(bodyOf("mojeeb", refused)).toBe(
      '{"error":{"type":"rate_limit_error","code":"rate_limit_exceeded","message":"Too many requests: try again in 60 seconds.","correlation_id":"req_1"}}',
    );
  });

  it("says 0 remaining of a request that wanted more than was left", () => {
    const wantedTwo = refusing(seconds(9), [spent(seconds(9), { remaining: 1 })]);
    expect(speaking("mojeeb").headers(wantedTwo)).toMatchObject({ "X-RateLimit-Remaining": "0" });
  });
});

describe("IPTO's dialect", () => {
  it("has all three headers on every answer, and the seconds in the body", () => {
    const minute = windowOf({ limit: 100, remaining: 95 });
    expect(speaking("ipto").headers(admitting(minute))).toEqual({
      "X-RateLimit-Limit": "100",
      "X-RateLimit-Remaining": "95",
      "X-RateLimit-Reset": "1717754460",
    });
    const refused = refusing(seconds(60), [spent(seconds(60), { limit: 100 })]);
    expect(speaking("ipto").headers(refused)).toMatchObject({ "Retry-After": "60" });
    expect(bodyOf("ipto", refused)).toBe('{"detail":"Rate limit exceeded","retry_after":60}');
  });
});

describe("TagoIO's dialect", () => {
  it("says nothing of limits but how long to wait, in the text as well", () => {
    expect(speaking("tagoio").headers(ADMITTED)).toEqual({});
    const refused = refusing(seconds(8), [spent(seconds(8), { kind: "clock" })]);
    expect(speaking("tagoio").headers(refused)).toEqual({ "Retry-After": "8" });
    expect(bodyOf("tagoio", refused)).toBe('{"status":false,"message":"Too many requests (Retry-After: 8)"}');
  });
});

describe("our own dialect", () => {
  it("has the X- headers and the IETF draft's fields on every answer", () => {
    expect(speaking("sluice").headers(ADMITTED)).toEqual({
      "X-RateLimit-Limit": "300",
      "X-RateLimit-Remaining": "247",
      "X-RateLimit-Reset": "1717754460",
      "RateLimit-Policy": '"email-send";q=300;w=60',
      RateLimit: '"email-send";r=247;t=23',
    });
  });

  it("names each window of a rule that has several, and puts the tightest into the X- headers", () => {
    const minute = windowOf({ rule: "global", limit: 100, remaining: 90, resetIn: seconds(12) });
    const hour = windowOf({ rule: "global", length: hours(1), limit: 1_000, remaining: 10, resetIn: minutes(30) });
    const odd = windowOf({ rule: "global", length: seconds(90), limit: 5, remaining: 5, resetIn: seconds(90) });
    const login = windowOf({ rule: "login", limit: 5, remaining: 4 });
    expect(speaking("sluice").headers(admitting(minute, hour, odd, login))).toEqual({
      "X-RateLimit-Limit": "1000",
      "X-RateLimit-Remaining": "10",
      "X-RateLimit-Reset": "1717756237",
      "RateLimit-Policy":
        '"global-minute";q=100;w=60, "global-hour";q=1000;w=3600, "global-90s";q=5;w=90, "login";q=5;w=60',
      RateLimit: '"global-minute";r=90;t=12, "global-hour";r=10;t=1800, "global-90s";r=5;t=90, "login";r=4;t=23',
    });
  });

  it("tells two windows of one length apart by their kind", () => {
    const both = admitting(windowOf({ kind: "rolling" }), windowOf({ kind: "clock" }));
    expect(speaking("sluice").headers(both)["RateLimit"]).toBe(
      '"email-send-minute-rolling";r=247;t=23, "email-send-minute-clock";r=247;t=23',
    );
  });

  it("escapes a rule's name", () => {
    const odd = admitting(windowOf({ rule: 'a "b"\\c;r=9,é\n' }));
    expect(speaking("sluice").headers(odd)["RateLimit"]).toBe(String.raw`"a \"b\"\\c;r=9,__";r=247;t=23`);
  });

  it("answers 429 with problem details that name what is spent", () => {
    const minute = spent(seconds(23), { rule: "global" });
    const hour = windowOf({ rule: "global", length: hours(1) });
    const decision = refusing(seconds(23), [minute], [hour]);
    expect(speaking("sluice").headers(decision)).toMatchObject({ "Retry-After": "23", "X-RateLimit-Remaining": "0" });
    const { contentType, body } = speaking("sluice").refusal(decision, "req_1");
    expect(contentType).toBe("application/problem+json");
    expect(JSON.stringify(body)).toBe(
      '{"type":"urn:sluice:problem:too_many_requests","title":"Too many requests","status":429,"code":"too_many_requests","detail":"expected fewer requests: try again in 23 s","request_id":"req_1","violated_policies":["global-minute"]}',
    );
    expect(Value.Check(Problem, body)).toBe(true);
  });
});

describe("every dialect", () => {
  it.each(DIALECTS.map((each) => [each.name, each] as const))(
    "(%s) rounds so that nobody comes too early",
    (_, spoken) => {
      const late = refusing(22_001 as Millis, [spent(22_001 as Millis)]);
      expect(spoken.headers(late)["Retry-After"]).toBe("23");
      expect(spoken.headers(late)["X-RateLimit-Reset"] ?? "1717754460").toBe("1717754460");
      expect(spoken.headers(refusing(0 as Millis, [spent(0 as Millis)]))["Retry-After"]).toBe("1");
      // What frees a slot sooner than its window ends does not make Retry-After earlier than `t`.
      expect(spoken.headers(refusing(seconds(5), [spent(seconds(23))]))["Retry-After"]).toBe("23");
    },
  );

  it.each(DIALECTS.map((each) => [each.name, each] as const))(
    "(%s) says nothing where nothing applies",
    (_, spoken) => {
      expect(spoken.headers(admitting())).toEqual({});
      expect(spoken.headers(refusing(seconds(2), []))).toEqual({ "Retry-After": "2" });
    },
  );

  it("has a name, and a name that nobody has is nobody's", () => {
    const names = ["sluice", "migosmtp", "telnxo", "monogoto", "mojeeb", "ipto", "tagoio"];
    expect(DIALECTS.map(({ name }) => name)).toEqual(names);
    expect(dialectNamed("toString")).toBeUndefined();
  });
});

describe("a parser that nobody here wrote", () => {
  it.each(["migosmtp", "telnxo", "ipto"])("reads %s, 2xx and 429", (name) => {
    for (const [decision, remaining] of [
      [ADMITTED, 247],
      [REFUSED, 0],
    ] as const)
      expect(parseRateLimit(lower(speaking(name).headers(decision)))).toEqual({
        limit: 300,
        used: 300 - remaining,
        remaining,
        reset: new Date(1_717_754_460_000),
      });
  });

  it("reads monogoto, which tells no reset, and mojeeb's 429", () => {
    expect(parseRateLimit(lower(speaking("monogoto").headers(ADMITTED)))).toMatchObject({ limit: 300, remaining: 247 });
    expect(parseRateLimit(lower(speaking("mojeeb").headers(REFUSED)))).toMatchObject({ limit: 300, remaining: 0 });
  });

  it("reads our X- headers; it knows the IETF fields as draft 7 had them, and is not shown those of draft 11", () => {
    const { RateLimit: _, ...headers } = speaking("sluice").headers(ADMITTED);
    expect(parseRateLimit(lower(headers))).toEqual({
      limit: 300,
      used: 53,
      remaining: 247,
      reset: new Date(1_717_754_460_000),
    });
  });
});

/** As Node's servers and clients have them. */
function lower(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

describe("the IETF's headers in the dialect sluice", () => {
  const rows = (field: string | undefined): [string, Record<string, unknown>][] =>
    parseList(field ?? "").map((each) => {
      const [name, parameters] = each as Item;
      return [String(name), Object.fromEntries(parameters)];
    });

  it("are structured fields as somebody else's parser reads them, with every window", () => {
    const standings = [
      windowOf(),
      windowOf({ rule: "global", length: hours(1), limit: 1_000, remaining: 999, resetIn: minutes(59) }),
      windowOf({ rule: "global", length: minutes(1), limit: 100, remaining: 99, resetIn: seconds(59) }),
    ];
    const headers = speaking("sluice").headers(admitting(...standings));
    const policies = rows(headers["RateLimit-Policy"]);
    const left = rows(headers["RateLimit"]);
    expect(policies.map(([, { q, w }]) => [q, w])).toEqual([
      [300, 60],
      [1_000, 3_600],
      [100, 60],
    ]);
    expect(left.map(([, { r, t }]) => [r, t])).toEqual([
      [247, 23],
      [999, 3_540],
      [99, 59],
    ]);
    expect(left.map(([name]) => name)).toEqual(policies.map(([name]) => name));
    expect(new Set(left.map(([name]) => name)).size).toBe(3);
  });
});
