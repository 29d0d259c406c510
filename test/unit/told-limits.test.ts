import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { easeFor } from "../../src/domain/easing.ts";
import { days, hours, instant, milliseconds, minutes, seconds, type Millis } from "../../src/domain/time.ts";
import { readLimits, type ToldLimits } from "../../src/domain/told-limits.ts";
import { tightest, type Decision, type Standing } from "../../src/ratelimit/decision.ts";
import { DIALECTS } from "../../src/ratelimit/dialects/by-name.ts";

const NOW = instant(Date.parse("2026-03-01T10:00:00Z"));
const EPOCH_S = NOW / 1_000;

const read = (status: number, headers: Readonly<Record<string, string>>, body: unknown = {}): ToldLimits => {
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return readLimits({ status, header: (name) => lower.get(name) ?? null, body }, NOW);
};

describe("the answers of the five systems", () => {
  it("MigoSMTP's and Telnxo's", () => {
    const headers = { "X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "247" };
    expect(read(200, { ...headers, "X-RateLimit-Reset": String(EPOCH_S + 23) })).toEqual({
      limit: 300,
      remaining: 247,
      resetIn: seconds(23),
    });
    expect(read(429, { "Retry-After": "23" }, { success: false, code: 429 })).toEqual({ retryIn: seconds(23) });
  });

  it("Monogoto's, which tells no reset", () => {
    expect(read(200, { "X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "843" })).toEqual({
      limit: 1_000,
      remaining: 843,
    });
  });

  it("IPTO's, with the seconds in the body and no Retry-After", () => {
    expect(read(429, {}, { detail: "…", retry_after: 60 })).toEqual({ retryIn: seconds(60) });
    expect(read(429, {}, '{"detail":"…","retry_after":"60"}')).toEqual({ retryIn: seconds(60) });
  });

  it("TagoIO's, with the seconds in the text", () => {
    expect(read(429, {}, { status: false, message: "Too many requests (Retry-After: 8)" })).toEqual({
      retryIn: seconds(8),
    });
  });

  it("header and body together: the longer wait", () => {
    expect(read(429, { "Retry-After": "5" }, { retry_after: 60 })).toEqual({ retryIn: seconds(60) });
    expect(read(429, { "Retry-After": "90" }, { retry_after: 60 })).toEqual({ retryIn: seconds(90) });
  });
});

describe("the IETF's fields", () => {
  it("draft 3 to 6: three of them, in seconds, with policies behind the limit", () => {
    expect(
      read(200, {
        "RateLimit-Limit": "100, 1000;w=3600, 100;w=60",
        "RateLimit-Remaining": "7",
        "RateLimit-Reset": "12",
      }),
    ).toEqual({ limit: 100, remaining: 7, resetIn: seconds(12) });
  });

  it("draft 7: one field", () => {
    expect(read(200, { RateLimit: "limit=100, remaining=50, reset=5" })).toEqual({
      limit: 100,
      remaining: 50,
      resetIn: seconds(5),
    });
  });

  it("drafts 8 to 11: a list, of which the tightest window counts", () => {
    expect(
      read(200, {
        "RateLimit-Policy": '"minute";q=100;w=60, "day";q=10000;w=86400;pk=:dHJpYWwxMjEzMjM=:',
        RateLimit: '"minute";r=50;t=30,"day";r=100;t=40000;pk=:dHJpYWwxMjEzMjM=:',
      }),
    ).toEqual({ limit: 10_000, remaining: 100, resetIn: seconds(40_000) });
    expect(read(200, { RateLimit: '"default";r=999;pk=:dA==:' })).toEqual({ remaining: 999 });
    expect(read(200, { RateLimit: "default;r=5;t=9" })).toEqual({ remaining: 5, resetIn: seconds(9) });
  });

  it("are not fooled by a name that looks like parameters", () => {
    expect(
      read(200, { "RateLimit-Policy": '"a;q=1, \\"b";q=10', RateLimit: '"a;q=1, \\"b";r=3;t=4;acme-x="r=0;t=9"' }),
    ).toEqual({ limit: 10, remaining: 3, resetIn: seconds(4) });
  });

  it.each([
    '"a";r=-1',
    '"a";r=1.5',
    '"a";t=9',
    '"a;r=1',
    '"a";r=1,',
    ";r=1",
    "limit=100",
    "remaining=x",
    '"a" "b";r=1',
  ])("malformed as %s are ignored, and the X- headers read", (RateLimit) => {
    expect(read(200, { RateLimit, "X-RateLimit-Limit": "9", "X-RateLimit-Remaining": "4" })).toEqual({
      limit: 9,
      remaining: 4,
    });
  });

  it("go before the X- headers where both are there", () => {
    const both = { RateLimit: '"a";r=3;t=4', "RateLimit-Policy": '"a";q=10;w=60', "X-RateLimit-Limit": "77" };
    expect(read(200, both)).toEqual({ limit: 10, remaining: 3, resetIn: seconds(4) });
  });
});

describe("a reset", () => {
  it.each([
    ["seconds from now", "30", seconds(30)],
    ["seconds since the epoch", String(EPOCH_S + 30), seconds(30)],
    ["milliseconds since the epoch", String(NOW + 30_500), milliseconds(30_500)],
    ["a date", "Sun, 01 Mar 2026 10:00:30 GMT", seconds(30)],
    ["in the past", String(EPOCH_S - 30), seconds(0)],
    ["in a hundred years", String(EPOCH_S + 3_155_760_000), days(31)],
  ])("as %s", (_, reset, resetIn) => {
    expect(read(200, { "X-RateLimit-Reset": reset })).toEqual({ resetIn });
  });

  it("is measured by the answer's clock, not by ours", () => {
    expect(
      read(200, { Date: "Sun, 01 Mar 2026 08:00:00 GMT", "X-RateLimit-Reset": String(EPOCH_S - 7_200 + 30) }),
    ).toEqual({ resetIn: seconds(30) });
  });
});

describe("Retry-After", () => {
  it("is seconds, or a date by the answer's clock", () => {
    expect(read(429, { "Retry-After": "1.5" })).toEqual({ retryIn: milliseconds(1_500) });
    const date = { "Retry-After": "Sun, 01 Mar 2026 10:02:00 GMT" };
    expect(read(429, date)).toEqual({ retryIn: minutes(2) });
    expect(read(429, { ...date, Date: "Sun, 01 Mar 2026 10:01:00 GMT" })).toEqual({ retryIn: minutes(1) });
    expect(read(503, { "Retry-After": "Sunday, 01-Mar-26 10:02:00 GMT" })).toEqual({ retryIn: minutes(2) });
  });

  it("twice: the longer", () => {
    expect(read(429, { "Retry-After": "5, 30" })).toEqual({ retryIn: seconds(30) });
    expect(read(429, { "Retry-After": "5, Sun, 01 Mar 2026 10:02:00 GMT" })).toEqual({ retryIn: minutes(2) });
  });

  it("on an answer that is no error says nothing of a retry", () => {
    expect(read(202, { "Retry-After": "5" }, { retry_after: 9 })).toEqual({});
  });

  it("that is missing leaves a refusal with the end of the window", () => {
    expect(read(429, { "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "17" })).toMatchObject({
      retryIn: seconds(17),
    });
    expect(read(429, {})).toEqual({});
    expect(read(500, {}, { retry_after: 9 })).toEqual({});
  });

  it.each(["-5", "soon", "NaN", "Infinity", "1e3", "0x10", "", "٥", "5 s", "99999999999999999999"])(
    "of %j is nonsense, and ignored",
    (nonsense) => {
      expect(read(429, { "Retry-After": nonsense })).toEqual({});
    },
  );
});

it.each(["-1", "NaN", "many", "", "1e9", "1,2,x;y"])("a limit of %j is nothing told that could harm", (nonsense) => {
  const { limit = 0, remaining = 0 } = read(200, { "X-RateLimit-Limit": nonsense, "X-RateLimit-Remaining": nonsense });
  expect([limit, remaining]).toEqual(nonsense.startsWith("1,") ? [1, 1] : [0, 0]);
});

it("headers that came twice: the tighter counts", () => {
  expect(
    read(200, { "X-RateLimit-Limit": "100, 60", "X-RateLimit-Remaining": "7, 50", "X-RateLimit-Reset": "3, 9" }),
  ).toEqual({ limit: 60, remaining: 7, resetIn: seconds(9) });
});

const NAMES = [
  "date",
  "retry-after",
  "ratelimit",
  "ratelimit-policy",
  ...["limit", "remaining", "reset"].flatMap((end) => [
    `ratelimit-${end}`,
    `x-ratelimit-${end}`,
    `x-rate-limit-${end}`,
  ]),
];
const piece = fc.constantFrom(
  ...'0 1 9 60 429 -1 1e9 NaN 1717754460 1717754460000 99999999999999999999 , ; = : " \\ r t q w a limit= remaining= reset='.split(
    " ",
  ),
  "Sun, 01 Mar 2026 10:02:00 GMT",
  " ",
  '"a";r=1;t=2',
  "(Retry-After: ",
);
const crooked = fc.oneof(
  fc.string(),
  fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join("")),
);

describe("whatever an answer holds", () => {
  it("nothing is thrown, and nothing told is negative, NaN or endless", () => {
    const answer = fc.record({
      status: fc.oneof(fc.constantFrom(200, 429, 503), fc.integer()),
      headers: fc.dictionary(fc.constantFrom(...NAMES), crooked),
      body: fc.oneof(
        fc.anything(),
        crooked,
        fc.record({ retry_after: fc.anything(), message: fc.oneof(crooked, fc.anything()) }),
      ),
    });
    fc.assert(
      fc.property(answer, ({ status, headers, body }) => {
        const told = read(status, headers, body);
        for (const [name, value] of Object.entries(told)) {
          expect(Number.isInteger(value) && value >= 0).toBe(true);
          if (name.endsWith("In")) expect(value).toBeLessThanOrEqual(days(31));
        }
        expect(easeFor(told)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 3_000 },
    );
  });

  it("a field of a thousand items, or of nothing but quotes, takes no time", () => {
    for (const field of ['"a";r=1,'.repeat(1_000), '"'.repeat(8_000), "a;".repeat(4_000), ";".repeat(8_000)]) {
      const began = performance.now();
      read(200, { RateLimit: field, "RateLimit-Policy": field });
      expect(performance.now() - began).toBeLessThan(500);
    }
  });
});

const aStanding = fc
  .record({
    rule: fc.constantFrom("email-send", "global", 'o"d\\d'),
    kind: fc.constantFrom("rolling" as const, "fixed" as const, "clock" as const),
    length: fc.constantFrom(minutes(1), hours(1), days(1)),
    limit: fc.integer({ min: 1, max: 20_000 }),
    left: fc.double({ min: 0, max: 1, noNaN: true }),
    reset: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ left, reset, ...window }): Standing => ({
    ...window,
    remaining: Math.floor(left * window.limit),
    resetIn: milliseconds(Math.floor(reset * window.length)),
  }));
const someStandings = fc.uniqueArray(aStanding, {
  minLength: 1,
  maxLength: 4,
  selector: ({ rule, kind, length }) => `${rule} ${kind} ${length}`,
});
const aDecision = fc
  .record({ standings: someStandings, refused: fc.boolean(), offset: fc.nat(999) })
  .map(({ standings, refused, offset }): Decision => {
    const at = instant(NOW + offset);
    if (!refused) return { admitted: true, at, standings, violated: [], retryIn: milliseconds(0) };
    const violated = standings.slice(0, 1).map((each) => ({ ...each, remaining: 0 }));
    const retryIn = milliseconds(Math.max(...violated.map(({ resetIn }) => resetIn)));
    return { admitted: false, at, standings: [...violated, ...standings.slice(1)], violated, retryIn };
  });

describe("what our server says in a dialect is what our client hears", () => {
  it.each(DIALECTS.map((each) => [each.name, each] as const))("%s", (_, dialect) => {
    fc.assert(
      fc.property(aDecision, (decision) => {
        const said = dialect.headers(decision);
        const { body } = decision.admitted ? { body: {} } : dialect.refusal(decision, "req_1");
        // By the second, as Node writes it.
        const date = new Date(Math.floor(decision.at / 1_000) * 1_000).toUTCString();
        const told = read(decision.admitted ? 202 : 429, { Date: date, ...said }, body);
        const within = (heard: Millis | undefined, meant: Millis): void => {
          expect(heard).toBeGreaterThanOrEqual(meant);
          expect(heard).toBeLessThanOrEqual(Math.max(meant, 1_000) + 2_000);
        };
        if (decision.admitted) expect(told.retryIn).toBeUndefined();
        else within(told.retryIn, decision.retryIn);
        const meant = tightest(decision.standings);
        if (told.remaining !== undefined && meant !== null)
          // Of two that are equally tight either may be told.
          expect(told.remaining / (told.limit ?? 0)).toBeCloseTo(meant.remaining / meant.limit, 9);
        if (told.resetIn !== undefined) {
          const heard = decision.standings.filter(({ limit }) => limit === told.limit).map(({ resetIn }) => resetIn);
          expect(heard.some((resetIn) => told.resetIn! >= resetIn && told.resetIn! <= resetIn + 2_000)).toBe(true);
        }
        const tells = {
          limit: said["X-RateLimit-Limit"] !== undefined,
          reset: said["X-RateLimit-Reset"] !== undefined,
        };
        expect({ limit: told.limit !== undefined, reset: told.resetIn !== undefined }).toEqual(tells);
      }),
      { numRuns: 500 },
    );
  });
});

describe("slowing down", () => {
  it("begins under a fifth of the limit, and spreads what remains over the time to the reset", () => {
    const told = (remaining: number, resetIn?: Millis) =>
      easeFor({ limit: 300, remaining, ...(resetIn === undefined ? {} : { resetIn }) });
    expect(told(60, seconds(60))).toBe(0);
    expect(told(59, seconds(60))).toBe(seconds(1));
    expect(told(0, seconds(60))).toBe(seconds(60));
    expect(told(59)).toBe(seconds(1));
    expect(easeFor({ remaining: 0, resetIn: seconds(9) })).toBe(0);
    expect(easeFor({})).toBe(0);
  });

  it("kept to, never meets the wall: the last request leaves before the reset, and the next one after it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 86_400_000 }), (limit, resetAt) => {
        let at = 0;
        let remaining = Math.max(0, Math.ceil(limit * 0.2) - 1);
        for (; remaining > 0; remaining--) {
          at += easeFor({ limit, remaining, resetIn: milliseconds(resetAt - at) });
          if (at >= resetAt) break;
        }
        // Rounding up by a millisecond each may reach the reset a little early in requests, never early in time.
        expect(
          at + easeFor({ limit, remaining, resetIn: milliseconds(Math.max(0, resetAt - at)) }),
        ).toBeGreaterThanOrEqual(resetAt);
      }),
      { numRuns: 200 },
    );
  });
});
