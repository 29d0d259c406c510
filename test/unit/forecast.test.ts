import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { forecast, type ForecastLevel, type ForecastQuestion } from "../../src/domain/forecast.ts";
import { WINDOW_KINDS, type WindowKind } from "../../src/domain/quota.ts";
import { hours, instant, milliseconds, seconds, type Instant } from "../../src/domain/time.ts";
import { allTimeZones } from "../../src/domain/time-zone.ts";
import { windowOf } from "../../src/domain/window.ts";

const at = (text: string): Instant => instant(Date.parse(text));
type Limits = { readonly [kind in WindowKind]?: number | null };

const level = (
  name: ForecastLevel["name"],
  limits: Limits,
  {
    now,
    zone,
    used = {},
    held = 0,
    ahead,
  }: { now: Instant; zone: string; used?: Limits; held?: number; ahead?: number },
): ForecastLevel => {
  const quota = Object.fromEntries(
    WINDOW_KINDS.map((kind) => [
      kind,
      { limit: limits[kind] ?? null, used: used[kind] ?? 0, held, window: windowOf(kind, now, zone) },
    ]),
  );
  return { name, quota, ...(ahead === undefined ? {} : { ahead }) };
};

const zone = "Asia/Kathmandu";
const now = at("2026-03-10T10:20:00+05:45");
const ask = (question: Partial<ForecastQuestion>) =>
  forecast({
    now,
    zone,
    position: 1,
    levels: [],
    ...unpaced,
    ...question,
  });
const sender = (ahead: number) => level("sender", { hour: 10 }, { now, zone, ahead });
const all = (ahead: number) => level("all", { hour: 100 }, { now, zone, ahead });
const unpaced = { intervalMs: null, senderIntervalMs: null, channelAhead: 0, paused: false };
const thousand = [level("email", { hour: 1_000, day: 2_000 }, { now, zone })];

describe("the forecast of a lane with 1,000 an hour and 2,000 a day", () => {
  it.each([
    [5, now, null],
    [1_000, now, null],
    [1_001, at("2026-03-10T11:00:00+05:45"), "email.hour"],
    [1_500, at("2026-03-10T11:00:00+05:45"), "email.hour"],
    [2_000, at("2026-03-10T11:00:00+05:45"), "email.hour"],
    [2_500, at("2026-03-11T00:00:00+05:45"), "email.day"],
    [3_500, at("2026-03-11T01:00:00+05:45"), "email.hour"],
    [20_000, at("2026-03-19T01:00:00+05:45"), "email.hour"],
  ])("sends the %d. message at %d, held by %s", (position, expected, heldBy) => {
    expect(ask({ position, levels: thousand })).toEqual({ at: expected, heldBy });
  });
});

describe("a forecast", () => {
  it("counts what is used and held, and waits when the limit was lowered below them", () => {
    const levels = (held: number) => [level("sms", { hour: 10 }, { now, zone, used: { hour: 7 }, held })];
    expect(ask({ position: 1, levels: levels(2) })).toEqual({ at: now, heldBy: null });
    expect(ask({ position: 2, levels: levels(2) })).toEqual({
      at: at("2026-03-10T11:00:00+05:45"),
      heldBy: "sms.hour",
    });
    expect(ask({ position: 11, levels: levels(9) })).toEqual({
      at: at("2026-03-10T12:00:00+05:45"),
      heldBy: "sms.hour",
    });
  });

  it("takes the day that ends on a night when the clocks change", () => {
    const cases = [
      ["America/New_York", "2026-11-01T00:30:00-04:00", "2026-11-02T00:00:00-05:00"],
      ["America/Havana", "2026-11-01T00:30:00-05:00", "2026-11-02T00:00:00-05:00"],
      ["Asia/Beirut", "2026-03-28T12:00:00+02:00", "2026-03-29T01:00:00+03:00"],
    ] as const;
    for (const [where, from, until] of cases) {
      const levels = [level("email", { day: 3 }, { now: at(from), zone: where })];
      const answer = ask({ now: at(from), zone: where, position: 4, levels });
      expect({ where, ...answer }).toEqual({ where, at: at(until), heldBy: "email.day" });
    }
    // Lord Howe's hour of ninety minutes.
    const howe = { now: at("2026-04-05T01:15:00+11:00"), zone: "Australia/Lord_Howe" };
    const answer = ask({ ...howe, position: 2, levels: [level("email", { hour: 1 }, howe)] });
    expect(answer.at).toBe(at("2026-04-05T02:00:00+10:30"));
  });

  it("lets windows that are running end as they began, when the zone has been changed", () => {
    // Counted in Kathmandu until now, moved to UTC: the day ends at Kathmandu's midnight, 18:15 UTC. The day of UTC that
    // holds that instant began before, so it inherits what was charged, and ends at midnight UTC.
    const levels = [level("email", { day: 3 }, { now, zone, used: { day: 3 } })];
    expect(ask({ position: 1, levels, zone: "UTC" })).toEqual({ at: at("2026-03-11T00:00:00Z"), heldBy: "email.day" });
    // Of a month it ends in, too: the hour of Kathmandu ends a quarter of an hour into UTC's.
    const hourly = [level("email", { hour: 3 }, { now, zone, used: { hour: 3 } })];
    expect(ask({ position: 1, levels: hourly, zone: "UTC" }).at).toBe(at("2026-03-10T06:00:00Z"));
  });

  it("opens nothing in a window that began before the one it follows, as the gate does", () => {
    // Lagos's 25 October ends at 23:00 UTC. Troll's has 26 hours, from 22:00 UTC on the 24th: what was sent in its first
    // hour is not known, so nothing goes until it ends.
    const start = at("2026-10-25T12:00:00Z");
    const levels = [level("email", { day: 3 }, { now: start, zone: "Africa/Lagos" })];
    const question = { now: start, zone: "Antarctica/Troll", levels, notBefore: at("2026-10-25T23:10:00Z") };
    expect(ask(question)).toEqual({ at: at("2026-10-26T00:00:00Z"), heldBy: "email.day" });
  });

  it("knows what was sent in a window that ends later than the one it follows, and began with it", () => {
    // Paris's 25 October lasts an hour longer than Johannesburg's, which begins with it.
    const start = at("2026-10-25T12:00:00Z");
    const levels = [level("email", { day: 3 }, { now: start, zone: "Africa/Johannesburg", used: { day: 1 } })];
    const question = { now: start, zone: "Europe/Paris", levels, notBefore: at("2026-10-25T22:10:00Z") };
    expect(ask({ ...question, position: 2 })).toEqual({ at: question.notBefore, heldBy: "schedule" });
    expect(ask({ ...question, position: 3 })).toEqual({ at: at("2026-10-25T23:00:00Z"), heldBy: "email.day" });
  });

  it("waits for what is narrowest, and for those of a wider level that go first", () => {
    expect(ask({ position: 25, levels: [sender(24), all(24)] })).toEqual({
      at: at("2026-03-10T12:00:00+05:45"),
      heldBy: "sender.hour",
    });
    expect(ask({ position: 5, levels: [sender(4), all(450)] })).toEqual({
      at: at("2026-03-10T14:00:00+05:45"),
      heldBy: "all.hour",
    });
    // The others do not wait for this sender: both have gone by the time that the slower one has.
    expect(ask({ position: 25, levels: [sender(24), all(150)] }).at).toBe(at("2026-03-10T12:00:00+05:45"));
  });

  it("says nothing of what nobody can say", () => {
    expect(ask({ paused: true, levels: thousand })).toEqual({ at: null, heldBy: "paused" });
    const closed = level("all", { month: 0 }, { now, zone });
    expect(ask({ levels: [...thousand, closed] })).toEqual({ at: null, heldBy: "all.month" });
    const slow = [level("email", { day: 1 }, { now, zone })];
    expect(ask({ position: 300, levels: slow }).at).toBe(at("2027-01-03T00:00:00+05:45"));
    expect(ask({ position: 500, levels: slow })).toEqual({ at: null, heldBy: "email.day" });
    expect(ask({ position: 1e12, levels: [level("sms", { minute: 1, hour: 10 }, { now, zone })] }).at).toBeNull();
  });

  it("goes at once without any limit, however many there are", () => {
    expect(ask({ position: 1e9 })).toEqual({ at: now, heldBy: null });
  });

  it("holds a message until it is due, and what is before it goes meanwhile", () => {
    const due = at("2026-03-10T11:30:00+05:45");
    expect(ask({ notBefore: due })).toEqual({ at: due, heldBy: "schedule" });
    expect(ask({ notBefore: instant(now - 1) })).toEqual({ at: now, heldBy: null });
    expect(ask({ notBefore: due, position: 1_500, levels: thousand })).toEqual({ at: due, heldBy: "schedule" });
    expect(ask({ notBefore: due, position: 2_001, levels: thousand })).toEqual({
      at: at("2026-03-11T00:00:00+05:45"),
      heldBy: "email.day",
    });
  });

  it("starts where a closed provider opens again", () => {
    const opens = at("2026-03-10T10:50:00+05:45");
    const question = { closedUntil: opens, levels: thousand };
    expect(ask({ ...question, position: 1_000 })).toEqual({ at: opens, heldBy: "provider" });
    expect(ask({ ...question, position: 1_001 })).toEqual({
      at: at("2026-03-10T11:00:00+05:45"),
      heldBy: "email.hour",
    });
    expect(ask({ ...question, position: 11, intervalMs: seconds(1) }).at).toBe(opens + 10_000);
  });

  it("lets nothing go before a message that is due later than its provider opens, until that opens", () => {
    const question = { closedUntil: at("2026-03-10T11:10:00+05:45"), notBefore: at("2026-03-10T11:30:00+05:45") };
    expect(ask({ ...question, levels: thousand })).toEqual({ at: question.notBefore, heldBy: "schedule" });
    expect(ask({ ...question, position: 1_001, levels: thousand })).toEqual({
      at: at("2026-03-10T12:00:00+05:45"),
      heldBy: "email.hour",
    });
  });

  it("spreads by the rate what the quotas let go at once", () => {
    const rate = { intervalMs: milliseconds(20), levels: thousand };
    expect(ask({ ...rate, position: 5 })).toEqual({ at: now + 80, heldBy: null });
    expect(ask({ ...rate, position: 1_000 })).toEqual({ at: now + 19_980, heldBy: "rate" });
    expect(ask({ ...rate, position: 1_500 })).toEqual({
      at: at("2026-03-10T11:00:00+05:45") + 499 * 20,
      heldBy: "email.hour",
    });
    expect(ask({ ...rate, position: 5, channelAhead: 100_000 })).toEqual({ at: now + 2_000_000, heldBy: "rate" });
    expect(ask({ channelAhead: 100_000 })).toEqual({ at: now, heldBy: null });
    expect(ask({ position: 61, senderIntervalMs: seconds(1) })).toEqual({ at: now + 60_000, heldBy: "rate" });
    // A fourteenth of a second, seven times: never a part of a millisecond, never early.
    expect(ask({ position: 8, intervalMs: milliseconds(1_000 / 14) }).at).toBe(now + 500);
    expect(ask({ position: 2, intervalMs: milliseconds(1_000 / 14) }).at).toBe(now + 72);
  });

  it("leaves to the next day what the rate does not let go in what is left of this one", () => {
    const [late, utc] = [at("2026-03-10T23:30:00Z"), "UTC"];
    const levels = [level("email", { day: 50_000 }, { now: late, zone: utc })];
    const question = { now: late, zone: utc, levels, intervalMs: milliseconds(72) };
    // 25,000 in half an hour, then 50,000 from midnight on.
    const midnight = at("2026-03-11T00:00:00Z");
    expect(ask({ ...question, position: 75_000 }).at).toBe(midnight + 49_999 * 72);
    expect(ask({ ...question, position: 75_001 })).toEqual({ at: at("2026-03-12T00:00:00Z"), heldBy: "email.day" });
    expect(ask({ ...question, position: 25_001 })).toEqual({ at: midnight, heldBy: "rate" });
  });

  it("leaves it to the rest of an hour, too, that overlaps the one that is running", () => {
    // 40 in what is left of Kathmandu's hour, until 05:15 UTC; the other 20 in UTC's, which ends at six.
    const levels = [level("email", { hour: 60 }, { now, zone })];
    const question = { zone: "UTC", levels, intervalMs: milliseconds(60_000) };
    expect(ask({ ...question, position: 60 })).toEqual({ at: now + 59 * 60_000, heldBy: "rate" });
    expect(ask({ ...question, position: 61 }).at).toBe(at("2026-03-10T06:00:00Z"));
  });

  it("lets other channels' messages take all that an hour has room for, however slow this one's rate is", () => {
    const account = level("all", { hour: 1_000 }, { now, zone, ahead: 1_900 });
    expect(ask({ levels: [account], intervalMs: milliseconds(10_000) })).toEqual({
      at: at("2026-03-10T11:00:00+05:45"),
      heldBy: "all.hour",
    });
  });

  it("does not charge the channel's rate for other channels' messages", () => {
    const account = level("all", { hour: 1_000 }, { now, zone, ahead: 900 });
    expect(ask({ position: 1, levels: [account], intervalMs: seconds(1) }).at).toBe(now);
    const channel = level("email", { hour: 1_000 }, { now, zone, ahead: 900 });
    expect(ask({ position: 1, levels: [channel], intervalMs: seconds(1) }).at).toBe(now + 900_000);
  });

  it("is found however many minutes it lies away: ten million at 600 a minute and 30,000 an hour", () => {
    const start = at("2026-03-10T10:00:00Z");
    const levels = [level("email", { minute: 600, hour: 30_000 }, { now: start, zone: "UTC" })];
    // 333 hours take 9,990,000, each in its first 50 minutes; the last of 10,000 more goes in the 17th minute.
    expect(ask({ now: start, zone: "UTC", position: 10_000_000, levels })).toEqual({
      at: instant(start + hours(333) + 16 * 60_000),
      heldBy: "email.minute",
    });
  });

  it("is found however many hours it lies away: 301 days less an hour at ten an hour, over two changes of the clocks", () => {
    const start = at("2026-03-10T10:00:00-04:00");
    const here = { now: start, zone: "America/New_York" };
    const position = 301 * 24 * 10;
    expect(ask({ ...here, position, levels: [level("sms", { hour: 10 }, here)] })).toEqual({
      at: instant(start + hours(301 * 24 - 1)),
      heldBy: "sms.hour",
    });
  });
});

/** One message at a time, one window's end at a time, counting charges by window: slow, and plainly right. */
const simulate = (question: ForecastQuestion): Instant | null => {
  const used = new Map<string, number>();
  const limits = question.levels.flatMap((each) =>
    WINDOW_KINDS.flatMap((kind) => {
      const quota = each.quota[kind];
      if (!quota || quota.limit === null) return [];
      const limit = quota.limit;
      const windowAt = (when: Instant) => windowOf(kind, when, question.zone);
      const key = (when: Instant): string => `${each.name} ${kind} ${windowAt(when).startsAt}`;
      used.set(key(question.now), quota.used + quota.held);
      const full = (when: Instant): boolean => (used.get(key(when)) ?? 0) >= limit;
      const charge = (when: Instant) => used.set(key(when), (used.get(key(when)) ?? 0) + 1);
      return [{ name: each.name, ahead: each.ahead ?? question.position - 1, windowAt, full, charge }];
    }),
  );
  /** Whom each message before it needs: the first of the order all, the last only the widest level. */
  const widest = Math.max(question.position - 1, ...limits.map((limit) => limit.ahead));
  const before = Array.from({ length: widest }, (_, number) =>
    limits.filter((limit) => number < limit.ahead || number < question.position - 1),
  );
  let when = question.now;
  while (when <= question.now + hours(400 * 24)) {
    for (let i = 0; i < before.length;) {
      const needed = before[i]!;
      if (needed.some((limit) => limit.full(when))) i++;
      else {
        for (const limit of needed) limit.charge(when);
        before.splice(i, 1);
      }
    }
    const full = limits.filter((limit) => limit.full(when));
    if (before.length === 0 && full.length === 0) return when;
    when = instant(Math.min(...full.map((limit) => limit.windowAt(when).endsAt)));
  }
  return null;
};

describe("the forecast by windows", () => {
  const limit = fc.option(fc.integer({ min: 1, max: 6 }), { freq: 2 });
  const limits = fc.record({ minute: limit, hour: limit, day: limit, month: fc.constantFrom(null, null, null, 20) });
  const used = fc.record({ minute: fc.nat(4), hour: fc.nat(4), day: fc.nat(4), month: fc.nat(4) });
  const part = fc.record({ limits, used, held: fc.nat(2), extra: fc.nat(12) });
  const moment = fc
    .integer({ min: Date.UTC(2026, 0), max: Date.UTC(2027, 0) })
    .map((ms) => instant(ms - (ms % 60_000)));

  it("is what a simulation of one message after the other finds, in any zone, at three levels", () => {
    let known = 0;
    fc.assert(
      fc.property(
        moment,
        fc.constantFrom(...allTimeZones()),
        fc.integer({ min: 1, max: 40 }),
        fc.tuple(part, part, part),
        (start, where, position, parts) => {
          let ahead = position - 1;
          const levels = parts.map((each, i) => {
            ahead += i === 0 ? 0 : each.extra;
            return level((["sender", "sms", "all"] as const)[i]!, each.limits, {
              now: start,
              zone: where,
              used: each.used,
              held: each.held,
              ahead,
            });
          });
          const question: ForecastQuestion = { now: start, zone: where, position, levels, ...unpaced };
          const answer = forecast(question);
          const expected = simulate(question);
          if (expected !== null) known++;
          expect(answer.at).toBe(expected);
          if (answer.at !== null) expect(answer.heldBy === null).toBe(answer.at === start);
        },
      ),
      { numRuns: 300 },
    );
    expect(known).toBeGreaterThan(250);
  });

  it("is the same whether the windows had to be walked or not", () => {
    const most = fc.option(fc.integer({ min: 1, max: 100 }), { nil: null });
    const ms = fc.option(fc.integer({ min: 1, max: 2_000 }).map(milliseconds), { nil: null });
    const count = fc.integer({ min: 0, max: 30 });
    let roomy = 0;
    fc.assert(
      fc.property(
        fc.tuple(most, most, most),
        fc.tuple(count, count, count, count),
        fc.tuple(ms, ms),
        fc.integer({ min: 1, max: 20 }),
        (bounds, [gone, onChannel, overAll, channelAhead], [intervalMs, senderIntervalMs], position) => {
          const levels = (["sender", "email", "all"] as const).map((name, i) =>
            level(
              name,
              { hour: bounds[i] ?? null },
              { now, zone, used: { hour: gone }, ahead: [position - 1, onChannel, overAll][i]! },
            ),
          );
          const question = { position, levels, intervalMs, senderIntervalMs, channelAhead };
          // Told that there is no room, it cannot but walk.
          const walked = ask({ ...question, room: 0 });
          expect(ask(question)).toEqual(walked);
          if (walked.heldBy === null || walked.heldBy === "rate") roomy++;
        },
      ),
      { numRuns: 500 },
    );
    expect(roomy).toBeGreaterThan(100);
    expect(roomy).toBeLessThan(400);
  });

  it("is what the simulation finds, hour by hour over Lord Howe's half-hour changes", () => {
    for (const start of [at("2026-04-04T00:00:00+11:00"), at("2026-10-03T00:00:00+10:30")]) {
      const here = { now: start, zone: "Australia/Lord_Howe" };
      for (let position = 1; position < 60; position++) {
        const unlimited = { intervalMs: null, senderIntervalMs: null, channelAhead: 0, paused: false };
        const question: ForecastQuestion = {
          ...here,
          ...unlimited,
          position,
          levels: [level("sms", { hour: 1 }, here)],
        };
        expect({ position, at: forecast(question).at }).toEqual({ position, at: simulate(question) });
      }
    }
  });

  it("gives each message the rate's next slot in which the quotas have room", () => {
    const minute = fc.option(fc.integer({ min: 1, max: 4 }), { freq: 3 });
    const interval = fc.integer({ min: 1, max: 90_000 });
    fc.assert(
      fc.property(
        moment,
        minute,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 40 }),
        interval,
        (start, most, hour, position, ms) => {
          const levels = [level("email", { minute: most, hour }, { now: start, zone })];
          const question: ForecastQuestion = { now: start, zone, position, levels, ...unpaced };
          const charged = new Map<string, number>();
          const counted = (when: Instant) =>
            (["minute", "hour"] as const).map((kind) => {
              const window = windowOf(kind, when, zone);
              const bound = kind === "minute" ? most : hour;
              return { window, name: `${kind} ${window.startsAt}`, bound: bound ?? Infinity };
            });
          const fullAt = (when: Instant) =>
            counted(when).findLast(({ name, bound }) => (charged.get(name) ?? 0) >= bound);
          let slot = start;
          for (let place = 1; place <= position; place++) {
            if (place > 1) slot = instant(slot + ms);
            for (let full = fullAt(slot); full; full = fullAt(slot)) slot = full.window.endsAt;
            for (const { name } of counted(slot)) charged.set(name, (charged.get(name) ?? 0) + 1);
          }
          expect(forecast({ ...question, intervalMs: milliseconds(ms) }).at).toBe(slot);
          expect(forecast({ ...question, senderIntervalMs: milliseconds(ms) }).at).toBe(slot);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("never comes sooner for a later place, a slower rate or a lower limit", () => {
    const rate = fc.integer({ min: 1, max: 100_000 }).map(milliseconds);
    fc.assert(
      fc.property(
        moment,
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 2, max: 50 }),
        rate,
        (start, position, hour, interval) => {
          const question = (place: number, most: number, intervalMs: ForecastQuestion["intervalMs"]) =>
            ask({
              now: start,
              position: place,
              levels: [level("email", { hour: most, day: 300 }, { now: start, zone })],
              intervalMs,
            }).at!;
          const base = question(position, hour, interval);
          expect(question(position + 1, hour, interval)).toBeGreaterThanOrEqual(base);
          expect(question(position, hour - 1, interval)).toBeGreaterThanOrEqual(base);
          expect(base).toBeGreaterThanOrEqual(question(position, hour, null));
          expect(base).toBeGreaterThanOrEqual(start + (position - 1) * interval);
        },
      ),
      { numRuns: 300 },
    );
  });
});
