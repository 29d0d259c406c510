import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { accountsOn } from "../../src/accounts/accounts.ts";
import { apiKeysOn } from "../../src/accounts/api-keys.ts";
import { auditOn } from "../../src/accounts/audit.ts";
import type { Plan, Plans } from "../../src/accounts/plan.ts";
import { seedAccounts, seedId } from "../../src/accounts/seeding.ts";
import { suppressionsOn } from "../../src/accounts/suppressions.ts";
import { CHANNELS } from "../../src/domain/channel.ts";
import { redisUnavailable } from "../../src/domain/errors.ts";
import { milliseconds, systemClock } from "../../src/domain/time.ts";
import { keysOf, type Keys } from "../../src/redis/keys.ts";
import { scriptRunner, type ScriptRunner } from "../../src/redis/script.ts";
import { takeAccount } from "../../src/redis/scripts/accounts-take.ts";
import { notedControl, type NotedControl } from "../support/noted-control.ts";
import { testRedis, type TestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { changeRow } from "../support/rows.ts";

const PLANS: Plans = new Map<string, Plan>([
  [
    "free",
    { quotas: { email: { hour: 20, day: 100 }, all: { month: 2000 } }, weight: 2, apiLimit: null, apiCeiling: null },
  ],
  ["scale", { quotas: { email: { hour: 500 } }, weight: 5, apiLimit: null, apiCeiling: null }],
]);

let server: TestRedis;
let redis: Redis;
let keys: Keys;
let scripts: ScriptRunner;
let control: NotedControl;

beforeAll(async () => {
  server = await testRedis();
  redis = server.connect();
  keys = keysOf(server.cell);
  scripts = scriptRunner(redis, server.cell, { testClock: true });
});
afterAll(() => server.close());
beforeEach(() => {
  control = notedControl(redis, keys);
});

const accountsWith = (plans: Plans) => accountsOn({ redis, keys, scripts, control, plans, clock: systemClock });
const accounts = () => accountsWith(PLANS);
const anAccount = (more: object = {}) => accounts().create({ name: "Post", timezone: "Asia/Kathmandu", ...more });

/** The limits in force at the gate: what was set last for each level. */
const limitsAtGate = (account: string): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    control.notes.flatMap(([what, scope, limits]) => {
      const { level, account: whose, channel } = (what === "setLimits" ? scope : {}) as Record<string, string>;
      return whose === account && level !== "sender" ? [[channel ?? "all", limits]] : [];
    }),
  );
/** The first time only. */
const once = (act: () => Promise<void>): (() => Promise<void> | void) => {
  let isDone = false;
  return () => {
    if (isDone) return undefined;
    isDone = true;
    return act();
  };
};
const NONE = { minute: null, hour: null, day: null, month: null };

const allKeys = async (): Promise<readonly string[]> => {
  const found: string[] = [];
  for await (const page of redis.scanStream({ match: `${server.cell}*`, count: 1_000 }))
    found.push(...(page as string[]));
  return found.map((key) => key.slice(server.cell.length)).sort();
};
const setTime = (at: number) => redis.set(keys.testClock, at);
/** As the scripts see it. */
const redisTime = async () => Number(await redis.get(`${server.cell}clock`));

describe("an account", () => {
  it("is in force at the gate when it is made: zone, weight, and each window's limit, its own over its plan's", async () => {
    const account = await anAccount({ plan: "free", quotas: { email: { hour: 5, day: null }, sms: { minute: 1 } } });
    expect(account).toMatchObject({
      name: "Post",
      timezone: "Asia/Kathmandu",
      plan: "free",
      weight: 2,
      quotas: { email: { hour: 5, day: null }, sms: { minute: 1 } },
      effectiveQuotas: { email: { hour: 5, day: null }, sms: { minute: 1 }, all: { month: 2000 } },
      onUncertain: {},
      paused: [],
      status: "active",
    });
    expect(limitsAtGate(account.id)).toEqual({
      email: { ...NONE, hour: 5 },
      sms: { ...NONE, minute: 1 },
      voice: NONE,
      whatsapp: NONE,
      all: { ...NONE, month: 2000 },
    });
    expect(control.notes.at(-1)).toEqual(["setAccount", account.id, { zone: "Asia/Kathmandu", weight: 2 }]);
    expect(await accounts().get(account.id)).toEqual(account);
  });

  it("of an unknown zone, plan or quota is refused, and leaves nothing behind", async () => {
    const before = await allKeys();
    await expect(anAccount({ timezone: "PST" })).rejects.toMatchObject({ code: "invalid_request", status: 422 });
    await expect(anAccount({ plan: "gold" })).rejects.toMatchObject({
      extra: { errors: [{ field: "plan", expected: "one of free, scale", got: '"gold"' }] },
    });
    await expect(anAccount({ quotas: { email: { hour: -1 } } })).rejects.toMatchObject({
      extra: { errors: [{ field: "quotas.email.hour" }] },
    });
    expect(await allKeys()).toEqual(before);
    expect(control.notes).toEqual([]);
  });

  it("is listed after those made before it, each once, by pages", async () => {
    const ids: string[] = [];
    for (let n = 0; n < 7; n++) ids.push((await anAccount({ name: `Listed ${n}` })).id);
    const seen: string[] = [];
    for (let cursor: string | null = null, pages = 0; pages === 0 || cursor !== null; pages++) {
      const page = await accounts().list(cursor, 3);
      expect(page.items.length).toBeLessThanOrEqual(3);
      seen.push(...page.items.map((account) => account.id));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual([...new Set(seen)].sort());
    expect(seen.filter((id) => ids.includes(id))).toEqual([...ids].sort());
  });

  it("that nobody made is not there", async () => {
    expect(await accounts().get("acc_00000000000000000000000000")).toBeNull();
    expect(await accounts().patch("acc_00000000000000000000000000", { name: "x" })).toBeNull();
    expect(await accounts().setQuota("acc_00000000000000000000000000", "email", { hour: 1 })).toBeNull();
    expect(await accounts().pause("acc_00000000000000000000000000", "email")).toBeNull();
    const rule = { channel: "sms", sender: "+1555", quota: {}, rate: null } as const;
    expect(await accounts().setSenderRule("acc_00000000000000000000000000", rule)).toBeNull();
    expect(await accounts().remove("acc_00000000000000000000000000", true)).toBe("unknown");
    expect((await allKeys()).filter((key) => key.includes("acc_00000000000000000000000000"))).toEqual([]);
    expect(control.notes).toEqual([]);
  });
});

describe("a changed account", () => {
  it("replaces the levels that are named, leaves the others, and goes back to the plan where nothing is stated", async () => {
    const { id } = await anAccount({ plan: "free", quotas: { email: { hour: 5 }, sms: { hour: 1 } } });
    const changed = await accounts().patch(id, { quotas: { email: {}, voice: { day: 3 } } });
    expect(changed?.account.quotas).toEqual({ sms: { hour: 1 }, voice: { day: 3 } });
    expect(limitsAtGate(id)).toMatchObject({ email: { ...NONE, hour: 20, day: 100 }, voice: { ...NONE, day: 3 } });
    expect(changed?.zoneChange).toBeNull();
  });

  it("takes its weight and limits from another plan at once, and from none when the plan is taken away", async () => {
    const { id } = await anAccount({ plan: "free" });
    expect((await accounts().patch(id, { plan: "scale" }))?.account).toMatchObject({ plan: "scale", weight: 5 });
    expect(limitsAtGate(id)).toMatchObject({ email: { ...NONE, hour: 500 }, all: NONE });
    expect((await accounts().patch(id, { plan: null, weight: 7 }))?.account).toMatchObject({ plan: null, weight: 7 });
    expect((await accounts().patch(id, { weight: null }))?.account.weight).toBe(1);
    expect(limitsAtGate(id)).toMatchObject({ email: NONE });
  });

  it("says when a new zone takes hold, as the gate knew it before the change", async () => {
    const { id } = await anAccount();
    const seen = control.notes.length;
    const changed = await accounts().patch(id, { timezone: "Europe/Lisbon" });
    expect(changed).toMatchObject({
      account: { timezone: "Europe/Lisbon" },
      zoneChange: { hour: 1, day: 2, month: 3 },
    });
    expect(control.notes[seen]?.[0]).toBe("runningWindows");
    expect(control.notes.at(-1)).toEqual(["setAccount", id, { zone: "Europe/Lisbon", weight: 1 }]);
    expect((await accounts().patch(id, { timezone: "Europe/Lisbon", name: "Correio" }))?.zoneChange).toBeNull();
  });

  it("replaces one level's quota, of which absent kinds go back to the plan", async () => {
    const { id } = await anAccount({ plan: "free", quotas: { email: { hour: 5, day: 9 } } });
    const account = await accounts().setQuota(id, "email", { day: null });
    expect(account).toMatchObject({
      quotas: { email: { day: null } },
      effectiveQuotas: { email: { hour: 20, day: null } },
    });
    expect(limitsAtGate(id)).toMatchObject({ email: { ...NONE, hour: 20 } });
    expect((await accounts().setQuota(id, "all", { month: 0 }))?.effectiveQuotas.all).toEqual({ month: 0 });
  });

  it("is refused as a whole when one part is wrong: nothing is stated and nothing set", async () => {
    const { id } = await anAccount();
    const seen = control.notes.length;
    await expect(accounts().patch(id, { name: "New", timezone: "Mars/Olympus" })).rejects.toMatchObject({
      status: 422,
    });
    expect(control.notes.slice(seen)).toEqual([]);
    expect((await accounts().get(id))?.name).toBe("Post");
  });

  it("ends with one of two changes that were made at once, the same at the gate as in the account", async () => {
    const { id } = await anAccount();
    control.before = () => new Promise((resolve) => setImmediate(resolve));
    await Promise.all(Array.from({ length: 8 }, (_, n) => accounts().setQuota(id, "email", { hour: n + 1 })));
    const stated = (await accounts().get(id))?.quotas.email?.hour;
    expect(limitsAtGate(id)["email"]).toEqual({ ...NONE, hour: stated });
    const writes = control.notes.filter(
      ([what, scope]) => what === "setLimits" && (scope as { channel?: string }).channel === "email",
    );
    // One after another: each set what it stated before the next one stated anything.
    expect(writes).toHaveLength(9);
  });

  it("loses neither of two changes to different fields", async () => {
    const { id } = await anAccount();
    await Promise.all([
      accounts().patch(id, { name: "Renamed" }),
      accounts().patch(id, { weight: 9 }),
      accounts().setQuota(id, "sms", { hour: 4 }),
      accounts().setQuota(id, "voice", { hour: 2 }),
    ]);
    expect(await accounts().get(id)).toMatchObject({
      name: "Renamed",
      weight: 9,
      quotas: { sms: { hour: 4 }, voice: { hour: 2 } },
    });
  });

  it("is shown as paused on the channels on which it is", async () => {
    const { id } = await anAccount();
    expect((await accounts().pause(id, "voice"))?.paused).toEqual(["voice"]);
    expect((await accounts().pause(id, "email"))?.paused).toEqual(["email", "voice"]);
    expect((await accounts().resume(id, "voice"))?.paused).toEqual(["email"]);
  });
});

describe("a sender's own rule", () => {
  const rule = { channel: "sms", sender: "+15550100", quota: { hour: 3 }, rate: milliseconds(1000) } as const;

  it("is in force at the gate, is listed, and goes when nothing in it limits anything", async () => {
    const { id } = await anAccount();
    expect(await accounts().setSenderRule(id, rule)).toEqual(rule);
    const scope = { level: "sender", account: id, channel: "sms", sender: "+15550100" };
    expect(control.notes.slice(-2)).toEqual([
      ["setLimits", scope, { ...NONE, hour: 3 }],
      ["setSenderRate", id, "sms", "+15550100", 1000],
    ]);
    await accounts().setSenderRule(id, { ...rule, channel: "email", sender: "a:b@x.org", rate: null });
    expect(await accounts().senderRules(id)).toEqual([
      { channel: "email", sender: "a:b@x.org", quota: { hour: 3 }, rate: null },
      rule,
    ]);
    expect((await redis.smembers(keys.senders(id))).sort()).toEqual(["email:a:b@x.org", "sms:+15550100"]);

    await accounts().setSenderRule(id, { ...rule, quota: { hour: null }, rate: null });
    expect(control.notes.slice(-2)).toEqual([
      ["setLimits", scope, NONE],
      ["setSenderRate", id, "sms", "+15550100", null],
    ]);
    expect(await redis.smembers(keys.senders(id))).toEqual(["email:a:b@x.org"]);
    expect(await accounts().senderRules(id)).toHaveLength(1);
  });
});

const expectInForce = async (id: string) => {
  expect(limitsAtGate(id)).toMatchObject({ email: { ...NONE, hour: 3 } });
  expect(control.notes.at(-1)).toEqual(["setAccount", id, { zone: "Europe/Lisbon", weight: 1 }]);
  expect(await redis.zcard(keys.changing)).toBe(0);
};

describe("a change that is not completed", () => {
  const settings = { timezone: "Europe/Lisbon", quotas: { email: { hour: 3 } } };

  it.each(["setLimits", "setAccount"])("because its process died in %s is completed by the sweep", async (at) => {
    const { id } = await anAccount();
    // It never comes back from there: whoever waits for it may not do so for ever.
    let hasDied = false;
    control.before = (what) => {
      if (what !== at) return Promise.resolve();
      hasDied = true;
      return new Promise(() => {});
    };
    void accounts().patch(id, settings);
    await until(() => hasDied);
    control.before = () => {};
    control.notes.length = 0;
    expect(await accounts().finishChanges()).toBe(0);
    await setTime((await redisTime()) + 10_001);
    expect(await accounts().finishChanges()).toBe(1);
    await expectInForce(id);
    expect(await accounts().finishChanges()).toBe(0);
  });

  it.each(["setLimits", "setAccount"])(
    "because of an error in %s keeps nobody waiting, and is completed by the next",
    async (at) => {
      const { id } = await anAccount();
      const failed = new Error("no connection");
      control.before = (what) => {
        if (what === at) throw failed;
      };
      await expect(accounts().patch(id, settings)).rejects.toBe(failed);
      control.before = () => {};
      control.notes.length = 0;
      expect(await accounts().finishChanges()).toBe(1);
      await expectInForce(id);
    },
  );

  it("of a sender is completed too", async () => {
    const { id } = await anAccount();
    control.before = (what) => {
      if (what === "setSenderRate") throw new Error("no connection");
    };
    const rule = { channel: "sms", sender: "+15550100", quota: { hour: 3 }, rate: milliseconds(500) } as const;
    await expect(accounts().setSenderRule(id, rule)).rejects.toThrow("no connection");
    control.before = () => {};
    expect(await accounts().finishChanges()).toBe(1);
    expect(control.notes.at(-1)).toEqual(["setSenderRate", id, "sms", "+15550100", 500]);
  });

  it("to a new account that had no name yet leaves nothing, once its time is over", async () => {
    const id = "acc_0000000000DEADDEADDEADDEAD";
    await takeAccount(scripts, id, "dead", { atMost: milliseconds(10_000), isNew: true });
    await setTime((await redisTime()) + 10_001);
    await accounts().finishChanges();
    expect((await allKeys()).filter((key) => key.includes(id))).toEqual([]);
    expect(await redis.zcard(keys.changing)).toBe(0);
  });

  // Frozen there for longer than it may keep the account: somebody else's turn comes and goes.
  it.each(["runningWindows", "setLimits"])(
    "in its time, but slept in %s, ends with what others stated since",
    async (at) => {
      const { id } = await anAccount({ quotas: { email: { hour: 1 } } });
      let hasSlept = false;
      control.before = async (what) => {
        if (what !== at || hasSlept) return;
        hasSlept = true;
        await setTime((await redisTime()) + 10_001);
        await accounts().setQuota(id, "email", { hour: 50 });
      };
      await accounts().patch(id, { timezone: "Europe/Lisbon" });
      expect(limitsAtGate(id)["email"]).toEqual({ ...NONE, hour: 50 });
      expect(await accounts().get(id)).toMatchObject({ timezone: "Europe/Lisbon", quotas: { email: { hour: 50 } } });
    },
  );
});

describe("plans that changed between two starts", () => {
  it("are put into force for the accounts that have them, once", async () => {
    await accounts().replan();
    const { id } = await anAccount({ plan: "free", quotas: { email: { hour: 7 } } });
    const other = await anAccount({ plan: "scale" });
    control.notes.length = 0;
    expect(await accounts().replan()).toBe(0);
    expect(control.notes).toEqual([]);

    const tighter = new Map(PLANS).set("free", {
      quotas: { email: { hour: 2, day: 8 } },
      weight: 1,
      apiLimit: null,
      apiCeiling: null,
    });
    expect(await accountsWith(tighter).replan()).toBeGreaterThanOrEqual(1);
    expect(limitsAtGate(id)).toMatchObject({ email: { ...NONE, hour: 7, day: 8 }, all: NONE });
    expect(limitsAtGate(other.id)).toEqual({});
    expect(await accountsWith(tighter).replan()).toBe(0);
    await accounts().replan();
  });

  it("are put into force again for accounts that a process with the file of before was asked to change since", async () => {
    await accounts().replan();
    const changed = await anAccount({ plan: "free" });
    const newer = new Map(PLANS).set("free", { ...PLANS.get("free")!, quotas: { email: { hour: 3 } } });
    await accountsWith(newer).replan();
    // The other process is still to be restarted.
    await accounts().patch(changed.id, { name: "Renamed" });
    const made = await anAccount({ plan: "free" });
    expect(limitsAtGate(made.id)).toMatchObject({ email: { hour: 20 } });
    await accountsWith(newer).replan();
    for (const { id } of [changed, made]) expect(limitsAtGate(id)).toMatchObject({ email: { ...NONE, hour: 3 } });

    control.notes.length = 0;
    expect(await accountsWith(newer).replan()).toBe(0);
    await accounts().replan();
  });

  it("are put into force again where the process with the file of before came between, while they were told", async () => {
    await accounts().replan();
    const { id } = await anAccount({ plan: "free" });
    const newer = new Map(PLANS).set("free", { ...PLANS.get("free")!, quotas: { email: { hour: 4 } } });
    const late = once(async () => void (await anAccount({ plan: "free", name: "Late" })));
    control.before = (what) => (what === "setLimits" ? late() : undefined);
    await accountsWith(newer).replan();
    control.before = () => {};
    expect(limitsAtGate(id)).toMatchObject({ email: { ...NONE, hour: 4 } });
    expect(await accountsWith(newer).replan()).toBeGreaterThanOrEqual(2);
    expect(await accountsWith(newer).replan()).toBe(0);
    await accounts().replan();
  });

  it("are put into force again where two processes that start at once have two versions of them", async () => {
    await accounts().replan();
    const { id } = await anAccount({ plan: "free" });
    const freeOf = (hour: number): Plan => ({ ...PLANS.get("free")!, quotas: { email: { hour } } });
    const ofOne = new Map(PLANS).set("free", freeOf(9)).set("own", freeOf(90));
    const own = await accountsWith(ofOne).create({ name: "Own", timezone: "UTC", plan: "own" });
    const ofOther = new Map(PLANS).set("free", freeOf(11));
    // The other one does all of it while this one is at an account of a plan that only this one has.
    const other = once(async () => void (await accountsWith(ofOther).replan()));
    const setLimits: NotedControl["setLimits"] = async (scope, limits) => {
      if (scope.account === own.id) await other();
      await control.setLimits(scope, limits);
    };
    const parts = { redis, keys, scripts, control: { ...control, setLimits }, plans: ofOne, clock: systemClock };
    await accountsOn(parts).replan();
    for (const [plans, hour] of [
      [ofOther, 11],
      [ofOne, 9],
    ] as const) {
      control.notes.length = 0;
      await accountsWith(plans).replan();
      expect(limitsAtGate(id)).toMatchObject({ email: { ...NONE, hour } });
    }
    await accounts().replan();
  });

  it("keep their limits at the gate when they are gone from the file, and their accounts must be given another", async () => {
    const { id } = await anAccount({ plan: "free" });
    const without = new Map([...PLANS].filter(([name]) => name !== "free"));
    control.notes.length = 0;
    await accountsWith(without).replan();
    expect(limitsAtGate(id)).toEqual({});
    const { quotas: effectiveQuotas, weight } = PLANS.get("free")!;
    expect(await accountsWith(without).get(id)).toMatchObject({ plan: "free", effectiveQuotas, weight });
    await expect(accountsWith(without).patch(id, { name: "x" })).rejects.toMatchObject({
      extra: { errors: [{ field: "plan", expected: "one of scale", got: '"free"' }] },
    });
    expect((await accountsWith(without).patch(id, { plan: "scale" }))?.account.plan).toBe("scale");
    const { items } = await auditOn({ redis, keys }).list({ account: id, what: "quotas" }, null, 1);
    expect(items[0]?.from).toEqual(effectiveQuotas);
    await accounts().replan();
  });
});

describe("an account that is deleted", () => {
  it("stays, unmarked, while messages of it are open", async () => {
    const { id } = await anAccount();
    await redis.hset(keys.account(id), "open", 3);
    await expect(accounts().remove(id, false)).rejects.toMatchObject({ code: "account_not_empty", status: 409 });
    expect((await accounts().get(id))?.status).toBe("active");
    expect(control.notes.map(([what]) => what)).not.toContain("removeAccount");
  });

  it("leaves no key behind, whatever it had", async () => {
    const apiKeys = apiKeysOn({ redis, keys, scripts, clock: systemClock });
    const { id } = await anAccount({ plan: "free" });
    for (let n = 0; n < 450; n++) await redis.sadd(keys.apiKeys(id), `key_${n}`);
    await apiKeys.create(id, { name: "one" });
    await suppressionsOn({ redis, keys, clock: systemClock }).add(id, "sms", "+1555", "asked");
    await accounts().setSenderRule(id, { channel: "email", sender: "a@b.org", quota: { hour: 1 }, rate: null });
    await accounts().pause(id, "voice");
    await changeRow(redis, `${server.cell}q:S|${id}|email|a@b.org`, { held: 0 });
    for (const channel of CHANNELS) await changeRow(redis, `${server.cell}q:C|${id}|${channel}`, { held: 0 });
    await changeRow(redis, `${server.cell}q:A|${id}`, { held: 0 });
    await redis.zadd(`${server.cell}parked`, "inf", `A|${id}|voice`);
    await redis.zadd(`${server.cell}ring:voice:a`, 1, id);
    await redis.zadd(keys.index(id), 1, "msg_1");
    expect(await accounts().remove(id, false)).toBe("removed");
    const left = (await allKeys()).filter((key) => key.includes(id) || key.startsWith("key:"));
    // Who made it and who took it away can be read for a year.
    expect(left).toEqual([`audit:${id}`]);
    expect(await redis.zscore(keys.accounts, id)).toBeNull();
    expect(await redis.zrange(`${server.cell}parked`, 0, "-1")).toEqual([]);
    expect(await redis.zrange(`${server.cell}ring:voice:a`, 0, "-1")).toEqual([]);
    expect(await redis.scard(keys.removing)).toBe(0);
    expect(await accounts().remove(id, false)).toBe("unknown");
  });

  it("by force has its messages canceled, and goes when the last has ended, though the process that was asked died", async () => {
    const { id } = await anAccount();
    await redis.hset(keys.account(id), "open", 1_000);
    control.before = (what) => {
      if (what === "cancelSome") throw new Error("died");
    };
    await expect(accounts().remove(id, true)).rejects.toThrow("died");
    expect((await accounts().get(id))?.status).toBe("removing");
    expect(await accounts().patch(id, { name: "too late" })).toBeNull();

    control.before = () => {};
    expect(await accounts().finishRemovals()).toBe(0);
    expect(control.notes.filter(([what]) => what === "cancelSome")).toHaveLength(5);
    expect(await accounts().get(id)).toBeNull();
    expect((await allKeys()).filter((key) => key.includes(id))).toEqual([`audit:${id}`]);
  });

  it("answers `removing` while a message is being sent, and the sweep finishes it afterwards", async () => {
    const { id } = await anAccount();
    await redis.hset(keys.account(id), "open", 1);
    const stuck = { ...control, cancelSome: () => Promise.resolve(1) };
    const sending = accountsOn({ redis, keys, scripts, control: stuck, plans: PLANS, clock: systemClock });
    expect(await sending.remove(id, true)).toBe("removing");
    expect(await sending.finishRemovals()).toBe(1);
    expect(await accounts().finishRemovals()).toBe(0);
    expect(await accounts().get(id)).toBeNull();
  });
});

describe("accounts of the seed file", () => {
  it("are made once, by any number of processes at once, and left as they are afterwards", async () => {
    const seeds = [
      { name: "Kathmandu Post Office", timezone: "Asia/Kathmandu", quotas: { email: { hour: 5 } } },
      { name: "Lisbon Pharmacy", timezone: "Europe/Lisbon", plan: "free" },
    ];
    const results = await Promise.all([1, 2, 3].map(() => seedAccounts(accounts(), seeds)));
    expect(results.flatMap(({ made }) => made).sort()).toEqual(["Kathmandu Post Office", "Lisbon Pharmacy"]);
    const id = seedId("Kathmandu Post Office");
    expect(limitsAtGate(id)).toMatchObject({ email: { ...NONE, hour: 5 } });

    await accounts().setQuota(id, "email", { hour: 9 });
    expect(await seedAccounts(accounts(), seeds)).toEqual({
      made: [],
      left: ["Kathmandu Post Office", "Lisbon Pharmacy"],
      refused: [],
    });
    expect((await accounts().get(id))?.quotas).toEqual({ email: { hour: 9 } });
  });

  it("are made although the plan of one is gone: that one is told, and who is there already is not judged again", async () => {
    await seedAccounts(accounts(), [{ name: "There Already", timezone: "UTC", plan: "free" }]);
    const plans = new Map([...PLANS].filter(([name]) => name !== "free"));
    const others = accountsOn({ redis, keys, scripts, control, plans, clock: systemClock });
    const seeded = await seedAccounts(others, [
      { name: "There Already", timezone: "UTC", plan: "free" },
      { name: "Too Late", timezone: "UTC", plan: "free" },
      { name: "Last", timezone: "UTC" },
    ]);
    expect(seeded).toMatchObject({ made: ["Last"], left: ["There Already"], refused: [{ name: "Too Late" }] });
    expect(seeded.refused[0]?.why.extra.errors).toMatchObject([{ field: "plan", expected: "one of scale" }]);
  });

  it("are not refused for good where Redis does not answer", async () => {
    const away = { ensure: () => Promise.reject(redisUnavailable("away")) };
    await expect(seedAccounts(away, [{ name: "Later", timezone: "UTC" }])).rejects.toMatchObject({ status: 503 });
  });
});
