/** The API's limits on the whole system: the table, own limits and ceilings, what an answer tells, and the books. */
import { afterEach, describe, expect, it } from "@jest/globals";
import { until } from "../support/until.ts";
import { aWorld, type Answer, type World } from "../support/world.ts";

describe("the API's limits", () => {
  const worlds: World[] = [];
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.stop();
  });
  const limited = async (policy = "sluice"): Promise<World> => {
    const world = await aWorld({ workers: 0, env: { SLUICE_API_POLICY: policy } });
    worlds.push(world);
    return world;
  };
  const times = async (count: number, asked: (n: number) => Promise<Answer>): Promise<Answer[]> => {
    const answers: Answer[] = [];
    for (let n = 0; n < count; n++) answers.push(await asked(n));
    return answers;
  };
  const told = ({ headers }: Answer) => ({
    limit: Number(headers.get("x-ratelimit-limit")),
    remaining: Number(headers.get("x-ratelimit-remaining")),
    reset: Number(headers.get("x-ratelimit-reset")),
  });

  it("let 300 mails a minute in and refuse the next, which is charged to nothing and reaches no gate", async () => {
    const world = await limited();
    const answers = await times(300, (n) => world.send(n, "email"));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(told(answers[0]!)).toMatchObject({ limit: 300, remaining: 299 });
    expect(answers[0]!.headers.get("ratelimit-policy")).toBe('"email-send";q=300;w=60');
    expect(answers[0]!.headers.get("ratelimit")).toMatch(/^"email-send";r=299;t=\d+$/);
    const refused = await world.send(300, "email");
    expect(refused.status).toBe(429);
    expect(refused.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    expect(refused.body).toMatchObject({ status: 429, code: "too_many_requests" });
    expect(refused.body.violated_policies ?? refused.body["violated-policies"]).toEqual(["email-send"]);
    expect(told(refused)).toMatchObject({ limit: 300, remaining: 0 });
    expect((await world.as("GET", "/v1/queues")).body.email.queued).toBe(300);
    // Another category, another budget; and after as long as it was told, again.
    expect((await world.send(1, "sms")).status).toBe(202);
    await world.advanceTo(world.now() + 1_000 * Number(refused.headers.get("retry-after")));
    expect((await world.send(301, "email")).status).toBe(202);
  });

  it("count what is refused for other reasons, and those whom nobody knows by their address", async () => {
    const world = await limited();
    const wrong = await times(60, () => world.call("GET", "/v1/audit", undefined, "sk_nobodys"));
    expect(new Set(wrong.map(({ status }) => status))).toEqual(new Set([401]));
    expect(told(wrong[9]!)).toMatchObject({ limit: 60, remaining: 50 });
    expect((await world.call("GET", "/v1/audit", undefined, "sk_nobodys")).status).toBe(429);
    expect((await world.call("GET", "/nothing/at/all", undefined, "")).status).toBe(429);
    expect((await world.call("GET", "/v1/%zz", undefined, "")).status).toBe(429);
    // Neither a key nor the operator is that address; and health is nobody's business to limit.
    expect((await world.as("GET", "/v1/quotas")).status).toBe(200);
    expect((await world.call("GET", "/v1/accounts")).headers.has("x-ratelimit-limit")).toBe(false);
    expect((await world.call("GET", "/healthz", undefined, "")).status).toBe(200);
  });

  it("are a key's own where it has some, from the request after they were changed, under its organisation's ceiling", async () => {
    const world = await limited();
    const { id } = world.account;
    const made = (await world.call("POST", `/v1/accounts/${id}/keys`, { api_limit: { minute: 5 } })).body;
    const asked = () => world.call("GET", "/v1/queues", undefined, made.key);
    expect((await times(6, asked)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429]);
    // All its requests count together, whatever the route.
    expect((await world.call("POST", "/v1/sms/send", world.bodyFor.sms(1), made.key)).status).toBe(429);
    await world.call("PATCH", `/v1/accounts/${id}/keys/${made.id}`, { api_limit: { minute: 7 } });
    expect((await times(3, asked)).map(({ status }) => status)).toEqual([200, 200, 429]);
    await world.call("PATCH", `/v1/accounts/${id}/keys/${made.id}`, { api_limit: { minute: 1_000 } });
    await world.call("PATCH", `/v1/accounts/${id}`, { api_ceiling: { minute: 10 } });
    const both = await times(12, (n) => (n % 2 === 0 ? asked() : world.as("GET", "/v1/queues")));
    expect(both.map(({ status }) => status)).toEqual([...Array(10).fill(200), 429, 429]);
    expect(both.at(-1)!.body.violated_policies ?? both.at(-1)!.body["violated-policies"]).toEqual(["organisation"]);
  });

  it("are shown in every window, and so is what became of requests, and who came close", async () => {
    const world = await limited();
    await times(100, (n) => world.send(n, "email"));
    const { body: limits } = await world.as("GET", "/v1/limits");
    expect(limits).toMatchObject({ policy: "sluice", counted_by: "redis" });
    const row = (rule: string) => limits.items.find((item: { rule: string }) => item.rule === rule);
    expect(row("email-send")).toMatchObject({
      kind: "rolling",
      window_seconds: 60,
      limit: 300,
      used: 100,
      remaining: 200,
    });
    expect(row("sms-send")).toMatchObject({ used: 0, remaining: 300, resets_at: null });
    const asOperator = await world.call("GET", `/v1/limits?account_id=${world.account.id}`);
    expect(asOperator.body.items.find((item: any) => item.rule === "email-send").used).toBe(100);

    await times(201, (n) => world.send(n, "email"));
    await until(async () => {
      const { items } = (await world.as("GET", "/v1/reports/api-usage")).body;
      const mails = items.find((item: { rule: string }) => item.rule === "email-send");
      return mails?.admitted === 300 && mails?.refused === 1;
    });
    const { items: events } = (await world.call("GET", "/v1/events")).body;
    expect(
      events.filter((event: any) => event.data.rule === "email-send").map((event: any) => event.data.threshold),
    ).toEqual([80, 100]);
    expect(events[0]).toMatchObject({ id: expect.stringMatching(/^evt_/), account_id: world.account.id });
  });

  it("of the organisation are shown to the operator as they hold: its own, and in windows that it does not state its plan's", async () => {
    const world = await limited();
    const { id } = world.account;
    await world.call("PUT", "/v1/plans/ceiled", { api_ceiling: { minute: 90, hour: 1_000 } });
    await world.call("PATCH", `/v1/accounts/${id}`, { plan: "ceiled", api_ceiling: { minute: 10 } });
    const { items } = (await world.call("GET", `/v1/limits?account_id=${id}`)).body;
    const ceilings = items.filter((item: { rule: string }) => item.rule === "organisation");
    expect(ceilings.map((item: any) => [item.window_seconds, item.limit])).toEqual([
      [60, 10],
      [3_600, 1_000],
    ]);
  });

  it("of tokens are the client's address's, and of each door apart", async () => {
    const world = await limited();
    const ask = (path: string) => () => world.call("POST", `/v1/auth/${path}`, {}, "");
    const seen = async (path: string) => (await times(6, ask(path))).map(({ status }) => status === 429);
    expect(await seen("token")).toEqual([false, false, false, false, false, true]);
    expect(await seen("refresh")).toEqual([false, false, false, false, false, true]);
    expect((await world.as("GET", "/v1/quotas")).status).toBe(200);
    // Whoever asks what bounds it is told of its address, too; an account has none.
    const doors = ({ body }: Answer) =>
      body.items.flatMap(({ rule, used }: any) => (rule.startsWith("auth-") ? [[rule, used]] : []));
    expect(doors(await world.as("GET", "/v1/limits"))).toEqual([
      ["auth-token", 5],
      ["auth-refresh", 5],
    ]);
    expect(doors(await world.call("GET", `/v1/limits?account_id=${world.account.id}`))).toEqual([]);
  });

  it("are told in the dialect that the policy names", async () => {
    const world = await limited("mojeeb");
    const answers = await times(61, () => world.as("GET", "/v1/queues"));
    expect(answers[0]!.headers.has("x-ratelimit-limit")).toBe(false);
    expect(answers[60]!.status).toBe(429);
    expect(answers[60]!.body.error).toMatchObject({ type: "rate_limit_error", code: "rate_limit_exceeded" });
  });
});
