/** Every number of the five published tables, on the running engine, with time moved by hand. */
import { describe, expect, it } from "@jest/globals";
import { loadPolicy } from "../../config/policies.ts";
import { hours, minutes, type Millis } from "../../src/domain/time.ts";
import type { Facts, LimitRequest } from "../../src/ratelimit/caller.ts";
import type { Decision } from "../../src/ratelimit/decision.ts";
import type { Limiter } from "../../src/ratelimit/limiter.ts";
import { limitStages, type LimitStage } from "./stage.ts";
import {
  IPTO,
  MIGOSMTP,
  MONOGOTO_PLANS,
  MONOGOTO_USER,
  SLUICE,
  TAGOIO,
  tagoRequest,
  TELNXO,
  type Plan,
  type Row,
} from "./tables.ts";

const aStage = limitStages();
/** As in TagoIO's example, on some day. */
const AT_12_45_09 = Date.UTC(2026, 2, 3, 12, 45, 9);

const limits = async (policy: string) => {
  const stage = await aStage(AT_12_45_09);
  return { stage, limiter: stage.limiter({ policy: loadPolicy(policy) }) };
};

/** Asks so often at once, and answers with how many were admitted. */
const ask = async (limiter: Limiter, request: LimitRequest, times: number): Promise<number> => {
  let admitted = 0;
  for (let left = times; left > 0; left -= 1_000) {
    const answers = await Promise.all(Array.from({ length: Math.min(1_000, left) }, () => limiter.take(request)));
    admitted += answers.filter((answer) => answer.admitted).length;
  }
  return admitted;
};

const requestOf = ({ method, route, query, body, facts = {} }: Row): LimitRequest => ({
  method,
  route,
  facts,
  ...(query ? { query } : {}),
  ...(body ? { body } : {}),
});

const namesOf = (violated: Decision["violated"]) => violated.map(({ rule, limit, length }) => [rule, limit, length]);

/** So many and not one more, and then again when it was said. */
const holds = async (
  stage: LimitStage,
  limiter: Limiter,
  request: LimitRequest,
  row: { rule: string; limit: number; per: Millis; waits?: number },
) => {
  const { rule, limit, per, waits = per } = row;
  expect(await ask(limiter, request, limit)).toBe(limit);
  const refused = await limiter.take(request);
  expect([refused.admitted, namesOf(refused.violated), refused.retryIn]).toEqual([false, [[rule, limit, per]], waits]);
  await stage.by(waits - 1);
  expect((await limiter.look(request)).admitted).toBe(false);
  await stage.by(1);
  expect((await limiter.take(request)).admitted).toBe(true);
};

describe.each([
  ["migosmtp", MIGOSMTP],
  ["telnxo", TELNXO],
  ["sluice", SLUICE],
] as const)("the table of %s", (policy, rows) => {
  it.each(rows.map((row) => [row.what, row.limit, row] as const))("%s: %i in any 60 s", async (_, __, row) => {
    const { stage, limiter } = await limits(policy);
    await holds(stage, limiter, requestOf(row), row);
  });

  it("counts each category by itself, and each account", async () => {
    const { limiter } = await limits(policy);
    for (const row of rows.slice(0, 5)) {
      const already = rows.filter(({ rule }, at) => at < rows.indexOf(row) && rule === row.rule).length > 0;
      if (!already) expect(await ask(limiter, requestOf(row), row.limit + 5)).toBe(row.limit);
    }
    const row = rows[0]!;
    expect(await ask(limiter, { ...requestOf(row), facts: { account: "acc_2" } }, row.limit + 1)).toBe(row.limit);
  });
});

it.each(["ipto", "migosmtp", "mojeeb", "monogoto", "tagoio", "telnxo"])(
  "what providers tell is outside the table of %s: a minute of it is no caller's",
  async (policy) => {
    const { limiter } = await limits(policy);
    const told = { method: "POST", route: "/v1/callbacks/twilio/status", facts: { ip: "192.0.2.9" } };
    expect(await ask(limiter, told, 6_001)).toBe(6_000);
    expect((await limiter.take({ ...told, route: "/v1/things" })).admitted).toBe(true);
  },
);

describe("Monogoto", () => {
  const anything = (facts: Facts): LimitRequest => ({ method: "GET", route: "/v1/things/:id", facts });

  it.each(MONOGOTO_PLANS)("$plan: $minute a minute and $hour an hour, both", async ({ plan, minute, hour }) => {
    const { stage, limiter } = await limits("monogoto");
    const request = anything({ ...MONOGOTO_USER, plan });
    await holds(stage, limiter, request, { rule: "api", limit: minute, per: minutes(1) });
    let used = minute + 1;
    while (used < hour) {
      const got = await ask(limiter, request, Math.min(minute, hour - used));
      expect(got).toBeGreaterThan(0);
      used += got;
      await stage.by(minutes(1));
    }
    const refused = await limiter.take(request);
    expect(namesOf(refused.violated)).toEqual([["api", hour, hours(1)]]);
    await stage.by(refused.retryIn);
    expect((await limiter.take(request)).admitted).toBe(true);
  });

  it("enterprise: what was agreed on", async () => {
    const { limiter } = await limits("monogoto");
    const facts: Facts = { user: "usr_2", plan: "enterprise", own: { endpoint: { minute: 700, hour: 20_000 } } };
    expect(await ask(limiter, anything(facts), 800)).toBe(700);
  });

  it.each([
    ["POST /v1/auth/token", "auth-token"],
    ["POST /v1/auth/refresh", "auth-refresh"],
  ])("%s: 5 in 60 s for each address, whatever the plan", async (what, rule) => {
    const [method = "", route = ""] = what.split(" ");
    for (const plan of ["standard", "business", "enterprise"]) {
      const { stage, limiter } = await limits("monogoto");
      await holds(
        stage,
        limiter,
        { method, route, facts: { user: "usr_1", plan, ip: "192.0.2.7" } },
        { rule, limit: 5, per: minutes(1) },
      );
    }
  });

  it("locks neither door nor the API when another is exhausted", async () => {
    const { limiter } = await limits("monogoto");
    const facts: Facts = { user: "usr_1", plan: "standard", ip: "192.0.2.7" };
    const door = (route: string): LimitRequest => ({ method: "POST", route, facts });
    expect(await ask(limiter, door("/v1/auth/token"), 9)).toBe(5);
    expect(await ask(limiter, anything(facts), 70)).toBe(60);
    expect(await ask(limiter, door("/v1/auth/refresh"), 9)).toBe(5);
  });
});

describe("Mojeeb", () => {
  const lookup: LimitRequest = {
    method: "GET",
    route: "/v1/whatsapp/messages/:id",
    facts: { key: "key_a", organisation: "org" },
  };
  const send: LimitRequest = { ...lookup, method: "POST", route: "/v1/whatsapp/messages" };

  it("gives each key 60 in the 60 s from its first request, looking up and sending together", async () => {
    const { stage, limiter } = await limits("mojeeb");
    expect(await ask(limiter, lookup, 1)).toBe(1);
    await stage.by(59_000);
    expect(await ask(limiter, send, 100)).toBe(59);
    expect((await limiter.take(lookup)).retryIn).toBe(1_000);
    await stage.by(1_000);
    await holds(stage, limiter, lookup, { rule: "api", limit: 60, per: minutes(1) });
  });

  it("lets keys of one organisation share nothing", async () => {
    const { limiter } = await limits("mojeeb");
    for (const key of ["key_a", "key_b", "key_c"])
      expect(await ask(limiter, { ...send, facts: { key, organisation: "org" } }, 80)).toBe(60);
  });

  it("has a limit of its own for a key whose owner set one, live", async () => {
    const { limiter } = await limits("mojeeb");
    const own = (minute: number): LimitRequest => ({ ...send, facts: { key: "key_a", own: { endpoint: { minute } } } });
    expect(await ask(limiter, own(200), 150)).toBe(150);
    expect(await ask(limiter, own(140), 1)).toBe(0);
    expect(await ask(limiter, own(160), 20)).toBe(10);
  });
});

describe("IPTO", () => {
  it.each(IPTO.map((row) => [row.what, row.limit, row] as const))("%s: %i", async (_, __, row) => {
    const { stage, limiter } = await limits("ipto");
    // A hundred a minute is everybody's limit, too.
    if (row.limit < 100) return holds(stage, limiter, requestOf(row), row);
    expect(await ask(limiter, requestOf(row), row.limit + 1)).toBe(row.limit);
    const refused = await limiter.take(requestOf(row));
    expect(namesOf(refused.violated)).toEqual([
      ["global", 100, minutes(1)],
      [row.rule, row.limit, row.per],
    ]);
  });

  it("holds everybody to 100 a minute, 1,000 an hour and 10,000 a day, all three at once", async () => {
    const { stage, limiter } = await limits("ipto");
    const request: LimitRequest = { method: "GET", route: "/anything", facts: { key: "key_1" } };
    const seen: unknown[] = [];
    for (let used = 0, refusals = 0; refusals < 111;) {
      const got = await ask(limiter, request, 100);
      used += got;
      const refused = await limiter.take(request);
      expect(refused.admitted).toBe(false);
      refusals++;
      const longest = refused.violated.at(-1)!;
      if (longest.limit > 100) seen.push([used, longest.limit]);
      if (longest.limit === 10_000) {
        await stage.by(refused.retryIn);
        expect((await limiter.take(request)).admitted).toBe(true);
        break;
      }
      await stage.by(refused.retryIn);
    }
    expect(seen).toEqual([...Array.from({ length: 9 }, (_, hour) => [(hour + 1) * 1_000, 1_000]), [10_000, 10_000]]);
  });

  it("counts magic links by the address they go to, however it is written, and whoever asks", async () => {
    const { limiter } = await limits("ipto");
    const link = (email: unknown, ip: string): LimitRequest => ({
      method: "POST",
      route: "/auth/magic-link",
      body: { email },
      facts: { ip },
    });
    const spellings = ["a@example.org", "A@example.org", " a@EXAMPLE.org ", "a@example.org"];
    const answers = [];
    for (const [at, email] of spellings.entries())
      answers.push((await limiter.take(link(email, `192.0.2.${at}`))).admitted);
    expect(answers).toEqual([true, true, true, false]);
    expect((await limiter.take(link("b@example.org", "192.0.2.1"))).admitted).toBe(true);
    // Without an address to count by, by where it comes from.
    expect(await ask(limiter, link({ not: "text" }, "198.51.100.1"), 5)).toBe(3);
    expect(await ask(limiter, link(undefined, "198.51.100.1"), 5)).toBe(0);
  });
});

describe("TagoIO", () => {
  const plans: readonly Plan[] = ["free", "starter", "scale"];

  it.each(plans)(
    "%s: every row of the table, until the clock's next minute",
    async (plan) => {
      const { stage, limiter } = await limits("tagoio");
      const facts: Facts = { profile: "pro_1", plan };
      for (const [what, ...ofPlans] of TAGOIO) {
        const limit = ofPlans[plans.indexOf(plan)]!;
        const request = tagoRequest(what, facts);
        expect([what, await ask(limiter, request, limit)]).toEqual([what, limit]);
        const refused = await limiter.take(request);
        expect([what, refused.admitted, refused.retryIn, refused.violated.length]).toEqual([what, false, 51_000, 1]);
      }
      await stage.by(50_999);
      for (const [what] of TAGOIO) expect((await limiter.look(tagoRequest(what, facts))).admitted).toBe(false);
      await stage.by(1);
      for (const [what] of TAGOIO) expect((await limiter.look(tagoRequest(what, facts))).admitted).toBe(true);
    },
    60_000,
  );

  it("counts a profile's requests together, and no other's", async () => {
    const { limiter } = await limits("tagoio");
    const create = (profile: string, user: string) => tagoRequest("POST /device", { profile, user, plan: "free" });
    expect(await ask(limiter, create("pro_1", "u1"), 6)).toBe(6);
    expect(await ask(limiter, create("pro_1", "u2"), 6)).toBe(4);
    expect(await ask(limiter, create("pro_2", "u1"), 12)).toBe(10);
  });

  it("takes an unknown plan for Free", async () => {
    const { limiter } = await limits("tagoio");
    expect(await ask(limiter, tagoRequest("POST /device", { profile: "pro_1", plan: "toString" }), 12)).toBe(10);
  });

  it("limits a device on top of its profile, where its owner says so", async () => {
    const { limiter } = await limits("tagoio");
    const send = (device: string, minute?: number) =>
      tagoRequest("POST /data", {
        profile: "pro_1",
        plan: "free",
        device,
        ...(minute ? { own: { device: { minute } } } : {}),
      });
    expect(await ask(limiter, send("dev_1", 30), 50)).toBe(30);
    expect(await ask(limiter, send("dev_2", 40), 50)).toBe(40);
    // What the devices were refused was not charged to the profile.
    expect(await ask(limiter, send("dev_3"), 300)).toBe(180);
    // It has no say about other routes.
    expect(
      await ask(
        limiter,
        tagoRequest("PUT /data", { profile: "pro_1", plan: "free", device: "dev_1", own: { device: { minute: 1 } } }),
        70,
      ),
    ).toBe(60);
  });

  it("counts what is published over MQTT, which is no HTTP request", async () => {
    const { limiter } = await limits("tagoio");
    const facts: Facts = { profile: "pro_1", plan: "free", device: "dev_1" };
    const answers = await Promise.all(Array.from({ length: 260 }, () => limiter.consume("mqtt-publish", facts)));
    expect(answers.filter(({ admitted }) => admitted)).toHaveLength(250);
    expect(answers.at(-1)).toMatchObject({ admitted: false, retryIn: 51_000 });
    const connects = await Promise.all(Array.from({ length: 25 }, () => limiter.consume("mqtt-connect", facts)));
    expect(connects.filter(({ admitted }) => admitted)).toHaveLength(20);
  });
});

describe("a key's own limit, and the ceiling of its account,", () => {
  const send = (key: string, facts: Facts = {}): LimitRequest => ({
    method: "POST",
    route: "/v1/email/send",
    facts: { account: "acc_1", key, ip: "192.0.2.1", ...facts },
  });

  it("take the place of the table, for all routes in one, live, and leave the doors alone", async () => {
    const { limiter } = await limits("sluice");
    const own = (minute: number): Facts => ({ own: { endpoint: { minute } } });
    expect(await ask(limiter, send("key_1", own(20)), 15)).toBe(15);
    expect(await ask(limiter, { ...send("key_1", own(20)), method: "GET", route: "/v1/queues" }, 15)).toBe(5);
    expect(await ask(limiter, send("key_1", own(30)), 15)).toBe(10);
    expect(await ask(limiter, { ...send("key_1", own(999)), route: "/v1/auth/token" }, 9)).toBe(5);
    // Another key of the account, without one of its own, has the table.
    expect(await ask(limiter, send("key_2"), 310)).toBe(300);
  });

  it("hold all keys of an account together", async () => {
    const { limiter } = await limits("sluice");
    const under = (key: string, account = "acc_1") =>
      send(key, { account, own: { endpoint: { minute: 60 }, organisation: { minute: 150, hour: null } } });
    expect(await Promise.all(["a", "b", "c", "d"].map((key) => ask(limiter, under(key), 60)))).toEqual(
      expect.arrayContaining([expect.any(Number)]),
    );
    const { standings } = await limiter.look(under("a"));
    expect(standings.find(({ rule }) => rule === "organisation")).toMatchObject({ limit: 150, remaining: 0 });
    expect(await ask(limiter, under("e"), 10)).toBe(0);
    expect(await ask(limiter, under("x", "acc_2"), 70)).toBe(60);
  });

  it("are counted from the first request on, also where no limit stands yet", async () => {
    const { stage, limiter } = await limits("sluice");
    expect(await ask(limiter, send("key_1", { own: { endpoint: { minute: 50 } } }), 50)).toBe(50);
    await stage.by(60_000);
    const both = await limiter.look(send("key_1", { own: { endpoint: { minute: 50, hour: 60 } } }));
    expect(both.standings.map(({ remaining }) => remaining)).toEqual([50, 10]);
  });
});

describe("what applies to a caller", () => {
  it("is told as a whole, and charges nothing", async () => {
    const { limiter } = await limits("sluice");
    const facts: Facts = { account: "acc_1", key: "key_1", ip: "192.0.2.1" };
    await ask(limiter, { method: "POST", route: "/v1/sms/send", facts }, 3);
    for (let n = 0; n < 3; n++) {
      const { standings } = await limiter.survey(facts);
      expect(standings.map(({ rule, limit, remaining }) => [rule, limit, remaining])).toEqual([
        ["email-send", 300, 300],
        ["email-bulk", 60, 60],
        ["sms-send", 300, 297],
        ["voice-call", 60, 60],
        ["whatsapp-send", 120, 120],
        ["reports", 120, 120],
        ["suppressions", 60, 60],
        ["other", 60, 60],
        ["auth-token", 5, 5],
        ["auth-refresh", 5, 5],
        ["provider-callbacks", 6_000, 6_000],
      ]);
    }
    const own = await limiter.survey({ ...facts, own: { endpoint: { minute: 9 }, organisation: { hour: 7 } } });
    expect(own.standings.map(({ rule, limit }) => [rule, limit])).toEqual([
      ["api-key", 9],
      ["auth-token", 5],
      ["auth-refresh", 5],
      ["provider-callbacks", 6_000],
      ["organisation", 7],
    ]);
  });

  it("is nothing where the policy is none", async () => {
    const { stage, limiter } = await limits("none");
    expect(await limiter.take({ method: "POST", route: null, facts: {} })).toMatchObject({
      admitted: true,
      standings: [],
    });
    expect(await stage.redis.keys(`${stage.cell}lim*`)).toEqual([]);
  });
});
