import { describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { loadPolicy } from "../../config/policies.ts";
import { days, hours, instant } from "../../src/domain/time.ts";
import type { Facts, LimitRequest } from "../../src/ratelimit/caller.ts";
import { limitEventReader } from "../../src/ratelimit/limit-event.ts";
import type { Policy } from "../../src/ratelimit/policy.ts";
import { usageCounter } from "../../src/ratelimit/usage-counter.ts";
import { apiUsageReader } from "../../src/ratelimit/usage-report.ts";
import type { ScriptRunner } from "../../src/redis/script.ts";
import { limitStages, MIDNIGHT } from "./stage.ts";
import { aPolicy } from "./stub-app.ts";

const aStage = limitStages();

const books = async (policy: Policy) => {
  const stage = await aStage();
  let isAway: "no" | "before" | "after" = "no";
  // Redis goes away before it hears a call, or after it has done it and before it answers.
  const scripts: ScriptRunner = {
    run: async (...args) => {
      if (isAway === "before") throw new Error("Connection is closed.");
      const reply = await stage.scripts.run(...args);
      if (isAway === "after") throw new Error("Connection is closed.");
      return reply;
    },
  };
  const counter = usageCounter({ scripts, log: pino({ level: "silent" }), repeat: () => () => {} });
  const limiter = stage.limiter({ policy, taken: counter.note });
  const read = apiUsageReader(stage.redis, stage.keys);
  return {
    stage,
    counter,
    limiter,
    lose: (when: typeof isAway) => {
      isAway = when;
    },
    ask: async (times: number, request: LimitRequest) => {
      for (let n = 0; n < times; n++) await limiter.take(request);
    },
    report: (owner: string, from = MIDNIGHT, to = MIDNIGHT + days(40)) =>
      read(owner, { from: instant(from), to: instant(to) }),
    events: limitEventReader(stage.redis, stage.keys),
  };
};

const send = (facts: Facts): LimitRequest => ({ method: "POST", route: "/v1/email/send/bulk", facts });

describe("the report of the limits", () => {
  it("tells what each rule admitted and refused, for each key and hour", async () => {
    const { stage, ask, counter, report } = await books(loadPolicy("sluice"));
    await ask(61, send({ account: "acc_1", key: "key_a" }));
    await ask(2, send({ account: "acc_1", key: "key_b" }));
    await ask(1, { ...send({ account: "acc_1", key: "key_a" }), route: "/v1/sms/send" });
    await ask(3, send({ account: "acc_2", key: "key_c" }));
    await stage.by(hours(1));
    await ask(5, send({ account: "acc_1", key: "key_a" }));
    await ask(1, send({ ip: "192.0.2.1" }));
    await counter.flush();
    const bulk = { rule: "email-bulk", shadowRefused: 0 };
    expect(await report("acc_1")).toEqual([
      { ...bulk, startsAt: MIDNIGHT, key: "key_a", admitted: 60, refused: 1 },
      { ...bulk, startsAt: MIDNIGHT, key: "key_b", admitted: 0, refused: 2 },
      { ...bulk, startsAt: MIDNIGHT, rule: "sms-send", key: "key_a", admitted: 1, refused: 0 },
      { ...bulk, startsAt: MIDNIGHT + hours(1), key: "key_a", admitted: 5, refused: 0 },
    ]);
    expect(await report("acc_1", MIDNIGHT + hours(1))).toHaveLength(1);
    expect(await report("acc_1", MIDNIGHT, MIDNIGHT + hours(1))).toHaveLength(3);
    expect(await report("nobody")).toEqual([
      { ...bulk, startsAt: MIDNIGHT + hours(1), key: null, admitted: 1, refused: 0 },
    ]);
    for (const key of await stage.redis.keys(`${stage.cell}lim-use:*`))
      expect(await stage.redis.ttl(key)).toBeGreaterThan(30 * 86_400);
  });

  it("counts nothing twice when an answer of Redis is lost, and nothing less when Redis is away for a while", async () => {
    const { ask, counter, lose, report } = await books(loadPolicy("sluice"));
    const facts = { account: "acc_1", key: "key_a" };
    await ask(3, send(facts));
    lose("after");
    await counter.flush();
    lose("before");
    await ask(4, send(facts));
    await counter.flush();
    lose("no");
    await ask(5, send(facts));
    await counter.close();
    expect(await report("acc_1")).toMatchObject([{ admitted: 12, refused: 0 }]);
  });

  it("stays within bounds in a flood of accounts, and loses no request of it", async () => {
    const { counter, report } = await books(loadPolicy("none"));
    const admission = { admitted: true, at: instant(MIDNIGHT), retryIn: 0, buckets: [[]] } as never;
    const rules = [{ rule: "r", name: "n", shadow: false, whenRedisIsAway: "open" as const, windows: [] }];
    for (let n = 0; n < 12_000; n++) counter.note({ facts: { account: `acc_${n}` }, rules, admission });
    await counter.flush();
    expect(await report("acc_1")).toMatchObject([{ admitted: 1 }]);
    expect(await report("others")).toMatchObject([{ rule: "r", key: null, admitted: 2_000 }]);
  });
});

describe("a rule in shadow", () => {
  const SHADOWED = aPolicy({
    real: { key: ["account"], kind: "fixed", rules: { real: { routes: ["*"], limits: { minute: 8 } } } },
    next: { key: ["account"], kind: "fixed", rules: { next: { routes: ["*"], limits: { minute: 3 }, shadow: true } } },
  });

  it("refuses nobody, is told to no caller, and says in the report whom it would have refused", async () => {
    const { limiter, counter, report, events } = await books(SHADOWED);
    const request: LimitRequest = { method: "GET", route: "/", facts: { account: "acc_1", key: "key_a" } };
    const answers = [];
    for (let n = 0; n < 10; n++) answers.push(await limiter.take(request));
    expect(answers.filter(({ admitted }) => admitted)).toHaveLength(8);
    expect(answers.flatMap(({ standings }) => standings.map(({ rule }) => rule))).not.toContain("next");
    await counter.flush();
    expect(await report("acc_1")).toMatchObject([
      { rule: "next", admitted: 3, refused: 0, shadowRefused: 5 },
      { rule: "real", admitted: 8, refused: 2, shadowRefused: 0 },
    ]);
    const told = (await events()).events.map(({ data }) => [data.rule, data.threshold, data.shadow]);
    expect(told).toEqual([
      ["next", 100, true],
      ["real", 80, false],
      ["real", 100, false],
    ]);
  });
});

describe("a caller that comes near its limit", () => {
  it("is told of in events that a webhook can carry, once for each window", async () => {
    const { stage, ask, counter, events } = await books(loadPolicy("sluice"));
    const facts: Facts = { account: "acc_1", key: "key_a", own: { endpoint: { minute: 10, hour: 15 } } };
    await ask(12, send(facts));
    await counter.flush();
    const first = await events();
    expect(first.events.map(({ type, data }) => [type, data.window.seconds, data.threshold, data.used])).toEqual([
      ["api_limit.approached", 60, 80, 8],
      ["api_limit.reached", 60, 100, 10],
    ]);
    expect(first.events[0]).toEqual({
      id: expect.stringMatching(/^evt_[0-9A-Z]{26}$/),
      type: "api_limit.approached",
      created_at: "2026-03-01T00:00:00.000Z",
      account_id: "acc_1",
      data: {
        key_id: "key_a",
        rule: "api-key",
        threshold: 80,
        limit: 10,
        used: 8,
        window: { kind: "rolling", seconds: 60 },
        resets_at: "2026-03-01T00:01:00.000Z",
        shadow: false,
      },
    });
    await stage.by(60_000);
    await ask(6, send(facts));
    await counter.flush();
    const next = await events(first.after);
    expect(next.events.map(({ type, data }) => [type, data.window.seconds])).toEqual([
      ["api_limit.approached", 3_600],
      ["api_limit.reached", 3_600],
    ]);
    expect(await events(next.after)).toEqual({ events: [], after: next.after });
    expect(new Set([...first.events, ...next.events].map(({ id }) => id)).size).toBe(4);
  });

  it("is told of only if there is somebody to tell", async () => {
    const { ask, counter, events } = await books(loadPolicy("sluice"));
    await ask(70, send({ ip: "192.0.2.1" }));
    await counter.flush();
    expect((await events()).events).toEqual([]);
  });
});
