/** Plans over the API: before the file's, live for all who have them, and never taken away from an account. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { anIdentity, composeIdentity, FILE_PLANS, linesOf, type Identity } from "../support/identity.ts";
import type { Plan } from "../../src/accounts/plan.ts";
import { until } from "../support/until.ts";
import { fieldsOf, textOf, type Answer } from "../http/api.ts";
import { readRow } from "../support/rows.ts";

let api: Identity;
const opened: Identity[] = [];
beforeEach(async () => {
  api = await anIdentity();
  opened.push(api);
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});
afterAll(() => {
  expect(opened).toEqual([]);
});

const put = (name: string, body: object): Promise<Answer> => api.operate("PUT", `/v1/plans/${name}`, body);
const names = async (): Promise<unknown[]> =>
  ((await api.operate("GET", "/v1/plans")).body["items"] as { name: string }[]).map(({ name }) => name);
const anAccount = async (plan: string): Promise<string> => (await api.anAccount({ plan })).id;
const account = async (id: string): Promise<Readonly<Record<string, unknown>>> =>
  (await api.operate("GET", `/v1/accounts/${id}`)).body;
/** What the gate holds against. */
const atGate = async (id: string, channel = "email") =>
  (await readRow(api.redis, `${api.server.cell}q:C|${id}|${channel}`))["hour.limit"] ?? null;

const FREE = {
  name: "free",
  quotas: { email: { hour: 20 } },
  weight: 1,
  api_limit: { minute: 60, hour: 1_000 },
  api_ceiling: null,
};

describe("plans", () => {
  it("are the file's until they are set, and then what was set", async () => {
    expect((await api.operate("GET", "/v1/plans/free")).body).toEqual({ ...FREE, source: "file" });
    const set = await put("free", { quotas: { email: { hour: 9 } }, api_ceiling: { minute: 100 } });
    const is = {
      name: "free",
      quotas: { email: { hour: 9 } },
      weight: 1,
      api_limit: null,
      api_ceiling: { minute: 100 },
      source: "api",
    };
    expect(set.body).toEqual(is);
    expect((await api.operate("GET", "/v1/plans/free")).body).toEqual(is);
    expect(await names()).toEqual(["free", "scale"]);
    expect((await api.operate("GET", "/v1/plans/none")).status).toBe(404);
  });

  it("can be written as they were read, which changes nothing and says nothing", async () => {
    const read = await api.operate("GET", "/v1/plans");
    expect((await api.operate("PUT", "/v1/plans", read.body)).body).toEqual(read.body);
    const one = await api.operate("GET", "/v1/plans/scale");
    expect((await put("scale", one.body)).body).toEqual(one.body);
    expect(await linesOf(api, "")).toEqual([]);
  });

  it("after a restart are those that were set, and else the file's of now", async () => {
    await put("free", { weight: 3 });
    await put("extra", { weight: 4 });
    await api.operate("PUT", "/v1/plans", {
      items: [
        { name: "free", weight: 3 },
        { name: "extra", weight: 4 },
      ],
    });
    const newer = new Map<string, Plan>([...FILE_PLANS].map(([name, plan]) => [name, { ...plan, weight: 50 }]));
    newer.set("new", { quotas: {}, weight: 60, apiLimit: null, apiCeiling: null });
    const restarted = composeIdentity(api.redis, api.scripts, api.server.cell, newer);
    const now = (await restarted.plans.list()).map(({ name, weight, source }) => [name, weight, source]);
    // `scale` was taken away over the API, and stays away.
    expect(now).toEqual([
      ["extra", 4, "api"],
      ["free", 3, "api"],
      ["new", 60, "file"],
    ]);
  });

  it.each([
    [{ weight: 0 }, "weight"],
    [{ quotas: { email: { hour: -1 } } }, "quotas.email.hour"],
    [{ api_limit: { minute: 0 } }, "api_limit.minute"],
    [{ api_ceiling: { day: 5 } }, "api_ceiling.day"],
    [{ price: 5 }, "price"],
    [{ name: "other" }, "name"],
  ])("are not %j", async (body, field) => {
    const answer = await put("free", body);
    expect([answer.status, fieldsOf(answer)]).toEqual([422, [field]]);
    expect((await api.operate("GET", "/v1/plans/free")).body["source"]).toBe("file");
  });

  it.each(["Free", "9lives", "a b", "__proto__", "x".repeat(41), "constructor%00"])(
    "are not called %s",
    async (name) => {
      expect((await put(encodeURIComponent(name), {})).status).toBe(422);
      expect((await api.operate("PUT", "/v1/plans", { items: [{ name }] })).status).toBe(422);
      expect(await names()).toEqual(["free", "scale"]);
    },
  );

  it("may be called what every object has something called", async () => {
    const answer = await put("constructor", { weight: 2 });
    expect([answer.status, answer.body]).toMatchObject([200, { name: "constructor", weight: 2, source: "api" }]);
    expect((await api.operate("GET", "/v1/plans/constructor")).body).toMatchObject({ weight: 2 });
  });

  it("are not named twice in a set", async () => {
    const answer = await api.operate("PUT", "/v1/plans", { items: [{ name: "free" }, { name: "free" }] });
    expect(fieldsOf(answer)).toEqual(["items[1].name"]);
  });
});

describe("a plan that is changed", () => {
  it("is in force at the gate for all accounts that have it, and leaves the others and their own alone", async () => {
    const [one, other] = [await anAccount("free"), await anAccount("scale")];
    const own = textOf(
      await api.operate("POST", "/v1/accounts", {
        name: "Own",
        timezone: "UTC",
        plan: "free",
        quotas: { email: { hour: 7 } },
      }),
      "id",
    );
    expect([await atGate(one), await atGate(own)]).toEqual(["20", "7"]);
    await put("free", { quotas: { email: { hour: 3 } }, weight: 9 });
    expect([await atGate(one), await atGate(own), await atGate(other)]).toEqual(["3", "7", null]);
    expect(await account(one)).toMatchObject({ effective_quotas: { email: { hour: 3 } }, weight: 9 });
    await put("free", { quotas: {} });
    expect([await atGate(one), await atGate(own)]).toEqual([null, "7"]);
  });

  it("can be a new one, which accounts can have at once", async () => {
    expect((await api.operate("POST", "/v1/accounts", { name: "A", timezone: "UTC", plan: "vip" })).status).toBe(422);
    await put("vip", { quotas: { email: { hour: 99 } }, api_limit: { minute: 5 } });
    const { id, key } = await api.anAccount({ plan: "vip" });
    expect(await atGate(id)).toBe("99");
    expect((await api.identity.keys.authenticate(key))?.limits.planLimit).toEqual({ minute: 5 });
  });

  it("by a process that died before it told the accounts is told by the others", async () => {
    const id = await anAccount("free");
    const died = composeIdentity(
      api.redis,
      {
        run: (script, args) =>
          script.name === "accounts-take" ? new Promise(() => {}) : api.scripts.run(script, args),
      },
      api.server.cell,
    );
    const four = { quotas: { email: { hour: 4 } }, weight: 1, apiLimit: null, apiCeiling: null };
    void died.plans.put("free", four).catch(() => {});
    await until(async () => (await api.identity.plans.get("free"))?.source === "api");
    expect(await atGate(id)).toBe("20");
    expect(await api.identity.accounts.finishPlans()).toBe(1);
    expect(await atGate(id)).toBe("4");
    expect(await api.identity.accounts.finishPlans()).toBe(0);
  });

  it("and changed back, when who changed it died with half of the accounts told, is in force for all again", async () => {
    const [one, other] = [await anAccount("free"), await anAccount("free")];
    await put("free", { quotas: { email: { hour: 8 } } });
    const died = composeIdentity(
      api.redis,
      {
        run: (script, args) =>
          script.name === "accounts-take" && args.includes(other)
            ? new Promise(() => {})
            : api.scripts.run(script, args),
      },
      api.server.cell,
    );
    const four = { quotas: { email: { hour: 4 } }, weight: 1, apiLimit: null, apiCeiling: null };
    void died.plans.put("free", four).catch(() => {});
    await until(async () => (await atGate(one)) === "4");
    await put("free", { quotas: { email: { hour: 8 } } });
    expect([await atGate(one), await atGate(other)]).toEqual(["8", "8"]);
  });

  it("while accounts are made with it is in force for each of them", async () => {
    const made = Array.from({ length: 12 }, () => anAccount("free"));
    const hours = [11, 12, 13];
    await Promise.all(hours.map((hour) => put("free", { quotas: { email: { hour } } })));
    const plan = (await api.operate("GET", "/v1/plans/free")).body as { quotas: { email: { hour: number } } };
    for (const id of await Promise.all(made)) expect(await atGate(id)).toBe(String(plan.quotas.email.hour));
  });
});

describe("a plan that goes", () => {
  const without = () => api.operate("PUT", "/v1/plans", { items: [{ name: "scale", weight: 5 }] });

  it("is kept while an account has it, and nothing else of the set is changed either", async () => {
    const id = await anAccount("free");
    const refused = await without();
    expect([refused.status, refused.body["code"]]).toEqual([409, "plan_in_use"]);
    expect(refused.body["detail"]).toBe(
      "expected a plan that no account has, got free, which 1 account has: give them another first",
    );
    expect((await api.operate("GET", "/v1/plans/scale")).body).toMatchObject({ source: "file" });
    await api.operate("PATCH", `/v1/accounts/${id}`, { plan: "scale" });
    expect((await without()).status).toBe(200);
    expect(await names()).toEqual(["scale"]);
    expect((await api.operate("PATCH", `/v1/accounts/${id}`, { plan: "free" })).status).toBe(422);
    expect((await put("free", {})).status).toBe(200);
    expect((await api.operate("PATCH", `/v1/accounts/${id}`, { plan: "free" })).status).toBe(200);
  });

  it("is free to go once its last account is gone", async () => {
    const id = await anAccount("free");
    await api.operate("DELETE", `/v1/accounts/${id}`);
    expect((await without()).status).toBe(200);
  });

  it("never leaves an account with no plan, whoever of the two was first", async () => {
    for (let round = 0; round < 8; round++) {
      await put("passing", { weight: 2 });
      const [made] = await Promise.all([
        api.operate("POST", "/v1/accounts", { name: "A", timezone: "UTC", plan: "passing" }),
        without(),
      ]);
      const isThere = (await names()).includes("passing");
      expect([made.status, isThere]).toEqual(isThere ? [201, true] : [422, false]);
      if (made.status === 201) await api.operate("DELETE", `/v1/accounts/${textOf(made, "id")}`);
    }
  });
});
