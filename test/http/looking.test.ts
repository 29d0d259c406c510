import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { at } from "../support/fake-state.ts";
import { anApi, anEmail, errorsOf, itemsOf, type Answer, type Api } from "./api.ts";

let api: Api;
let key: string;
let account: string;
beforeAll(async () => {
  api = await anApi();
});
afterAll(() => api.close());
beforeEach(async () => {
  ({ key, id: account } = await api.anAccount());
});

const ask = (method: string, path: string, body?: unknown): Promise<Answer> => api.ask(method, path, { key, body });

describe("looking", () => {
  it("shows quotas in the account's zone, and never less than nothing left", async () => {
    await api.operate("PUT", `/v1/accounts/${account}/quotas/email`, { hour: 5, day: 1 });
    await api.operate("PUT", `/v1/accounts/${account}/senders/a@b.co/quotas/email`, { hour: 9 });
    const { body } = await ask("GET", "/v1/quotas");
    expect(body["email"]).toMatchObject({
      hour: {
        limit: 5,
        used: 2,
        held: 1,
        remaining: 2,
        starts_at: "2026-03-01T10:00:00+05:45",
        resets_at: "2026-03-01T11:00:00+05:45",
      },
      day: { limit: 1, remaining: 0, resets_at: "2026-03-02T00:00:00+05:45" },
      month: { limit: null, remaining: null },
    });
    expect(body["senders"]).toMatchObject({ "a@b.co": { email: { hour: { limit: 9, remaining: 6 } } } });
  });

  it("shows queues, and to the operator the sums with BullMQ's counts", async () => {
    expect((await ask("GET", "/v1/queues")).body["sms"]).toEqual({
      queued: 3,
      throttled: 1,
      scheduled: 0,
      sending: 0,
      oldest_at: "2026-03-01T10:14:00+05:45",
      rate_per_second: 14,
      drains_at: null,
      paused: false,
    });
    expect((await api.operate("GET", "/v1/queues")).body["sms"]).toMatchObject({
      oldest_at: null,
      jobs: { waiting: 2, active: 1 },
    });
  });

  it("tells the windows of an instant in UTC with milliseconds, where the wall clock is set back over midnight too", async () => {
    const havana = await ask("GET", "/v1/windows?timezone=America/Havana&at=2026-11-01T05:30:00Z");
    expect(havana.body).toEqual({
      hour: { starts_at: "2026-11-01T05:00:00.000Z", ends_at: "2026-11-01T06:00:00.000Z" },
      day: { starts_at: "2026-11-01T04:00:00.000Z", ends_at: "2026-11-02T05:00:00.000Z" },
      tz_version: process.versions["tz"],
    });
    const own = await ask("GET", "/v1/windows");
    expect(own.body["hour"]).toEqual({ starts_at: "2026-03-01T04:15:00.000Z", ends_at: "2026-03-01T05:15:00.000Z" });
    expect((await api.operate("GET", "/v1/windows?timezone=UTC")).status).toBe(200);
  });

  it("reports the last 24 hours when nothing is asked for", async () => {
    const row = { channel: "email" as const, sent: 1, failed: 0, uncertain: 0, throttled: 0 };
    api.world.usage.push(
      { ...row, startsAt: at("2026-03-01T03:15:00Z") },
      { ...row, startsAt: at("2026-02-28T04:15:00Z") },
      { ...row, startsAt: at("2026-03-01T02:15:00Z"), channel: "sms" },
    );
    const times = async (query: string): Promise<readonly unknown[]> =>
      itemsOf(await ask("GET", `/v1/reports/usage${query}`)).map(({ starts_at }) => starts_at);
    expect(await times("")).toEqual(["2026-03-01T09:00:00+05:45", "2026-03-01T08:00:00+05:45"]);
    expect(await times("?channel=sms")).toEqual(["2026-03-01T08:00:00+05:45"]);
    expect(await times("?from=2026-02-28T00:00:00Z&to=2026-03-01T00:00:00Z")).toEqual(["2026-02-28T10:00:00+05:45"]);
  });
});

describe("a report of a time that there is none of", () => {
  const errorOf = async (path: string): Promise<unknown> => errorsOf(await ask("GET", path))[0];

  it.each([
    ["/v1/reports/usage", 40],
    ["/v1/reports/api-usage", 30],
  ])("%s is told of what was written, not of what was filled in", async (path, kept) => {
    const got = `"2025-12-01T00:00:00Z"`;
    expect(await errorOf(`${path}?from=2025-12-01T00:00:00Z`)).toEqual({
      field: "from",
      expected: `a time at most ${kept} days back`,
      got,
    });
    expect(await errorOf(`${path}?to=2025-12-01T00:00:00Z`)).toEqual({
      field: "to",
      expected: `a time at most ${kept - 1} days back where there is no \`from\``,
      got,
    });
    const future = "from=2026-03-02T00:00:00Z";
    expect(await errorOf(`${path}?${future}`)).toMatchObject({ field: "from", expected: "a time that is past" });
    expect(await errorOf(`${path}?${future}&to=2026-03-01T00:00:00Z`)).toMatchObject({
      field: "from",
      expected: "a time before `to`",
    });
  });
});

describe("the processes' own", () => {
  it("HEAD is answered as GET, without a body", async () => {
    const head = await api.ask("HEAD", "/healthz");
    expect([head.status, head.text]).toEqual([200, ""]);
    expect((await api.ask("HEAD", "/v1/quotas")).status).toBe(401);
  });

  it("the sandbox's page goes with its own policy", async () => {
    const page = await api.ask("GET", "/sandbox?channel=sms");
    expect(page.headers.get("content-type")).toMatch(/^text\/html/);
    expect(page.headers.get("content-security-policy")).toBe("default-src 'none'");
    expect((await api.ask("GET", "/sandbox?channel=fax")).status).toBe(422);
  });

  it("answers are counted and logged by their route, never by their path", async () => {
    await api.operate("PUT", `/v1/accounts/${account}/senders/secret%40example.com/quotas/email`, { hour: 1 });
    await ask("POST", "/v1/email/send", { ...anEmail, to: "secret@example.com", text: "secret words" });
    await ask("POST", "/v1/email/send", { ...anEmail, to: "secret@example.com, x" });
    await ask("GET", "/v1/suppressions?channel=email&address=secret@example.com");
    await ask("GET", "/secret@example.com");
    expect(api.world.answered).toContainEqual({
      route: "/v1/accounts/:id/senders/:sender/quotas/:channel",
      method: "PUT",
      status: 200,
    });
    expect(api.world.answered).toContainEqual({ route: "unknown", method: "GET", status: 404 });
    const log = JSON.stringify(api.world.logged);
    expect(log).toContain(`"event":"http_answered"`);
    expect(log).toContain(account);
    expect(log).not.toMatch(/secret|sk_|admin-key/);
  });
});
