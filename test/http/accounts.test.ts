import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { textOf, anApi, anEmail, itemsOf, type Answer, type Api } from "./api.ts";

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

describe("an account", () => {
  it("is made, read, changed and listed", async () => {
    const made = await api.operate("POST", "/v1/accounts", {
      name: "Books",
      timezone: "Asia/Kathmandu",
      plan: null,
      weight: null,
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ name: "Books", plan: null, weight: 1, created_at: "2026-03-01T10:14:00+05:45" });
    const path = made.headers.get("location") ?? "";
    expect(path).toBe(`/v1/accounts/${textOf(made, "id")}`);
    expect((await api.operate("PATCH", path, { name: "More books" })).body).toMatchObject({ name: "More books" });
    expect((await api.operate("GET", path)).body).toMatchObject({ name: "More books", timezone: "Asia/Kathmandu" });
    const seen: unknown[] = [];
    for (let cursor = ""; ;) {
      const page = await api.operate("GET", `/v1/accounts?limit=1${cursor}`);
      seen.push(...itemsOf(page).map(({ id }) => id));
      if (page.body["next_cursor"] === null) break;
      cursor = `&cursor=${textOf(page, "next_cursor")}`;
    }
    expect(seen).toContain(made.body["id"]);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it("that moves is told when each of its windows does", async () => {
    const moved = await api.operate("PATCH", `/v1/accounts/${account}`, { timezone: "America/New_York" });
    expect(moved.body["effective_from"]).toEqual({
      hour: "2026-03-01T00:15:00-05:00",
      day: "2026-03-01T13:15:00-05:00",
      month: "2026-03-31T14:15:00-04:00",
    });
    const renamed = await api.operate("PATCH", `/v1/accounts/${account}`, { name: "Same zone" });
    expect(renamed.body).not.toHaveProperty("effective_from");
  });

  it("goes once nothing waits, or by force", async () => {
    await ask("POST", "/v1/email/send", anEmail);
    const path = `/v1/accounts/${account}`;
    expect((await api.operate("DELETE", path)).body).toMatchObject({ status: 409, code: "account_not_empty" });
    expect((await api.operate("DELETE", `${path}?force=maybe`)).status).toBe(422);
    expect((await api.operate("DELETE", `${path}?force=true`)).body).toEqual({ id: account, status: "removing" });
    const { id } = await api.anAccount();
    const gone = await api.operate("DELETE", `/v1/accounts/${id}`);
    expect([gone.status, gone.text]).toEqual([204, ""]);
    expect((await api.operate("GET", `/v1/accounts/${id}`)).status).toBe(404);
  });

  it("that does not exist is answered 404 everywhere", async () => {
    const none = "/v1/accounts/acc_none";
    const asked: [string, string, unknown?][] = [
      ["GET", none],
      ["PATCH", none, { name: "x" }],
      ["DELETE", none],
      ["PUT", `${none}/quotas/email`, { hour: 1 }],
      ["PUT", `${none}/senders/a@b.co/quotas/email`, { hour: 1 }],
      ["GET", `${none}/senders`],
      ["POST", `${none}/keys`, {}],
      ["GET", `${none}/keys`],
      ["DELETE", `${none}/keys/key_1`],
      ["POST", `${none}/channels/sms/pause`],
    ];
    for (const [method, path, body] of asked)
      expect([method, path, (await api.operate(method, path, body)).status]).toEqual([method, path, 404]);
  });

  it("is paused and resumed on a channel, and everybody with it", async () => {
    api.world.switches.length = 0;
    const path = `/v1/accounts/${account}/channels/email`;
    expect((await api.operate("POST", `${path}/pause`)).body).toMatchObject({ id: account, paused: ["email"] });
    expect((await api.operate("POST", `${path}/resume`)).body).toMatchObject({ paused: [] });
    expect((await api.operate("POST", "/v1/channels/sms/pause")).body).toEqual({ channel: "sms", paused: true });
    // Clients that always name a content type send one here too, with nothing in it.
    const typed = await api.ask("POST", "/v1/channels/sms/resume", { key: api.world.services.adminKey, raw: "" });
    expect(typed.body).toEqual({ channel: "sms", paused: false });
    expect(api.world.switches).toEqual([
      ["pause", account, "email"],
      ["resume", account, "email"],
      ["pause", null, "sms"],
      ["resume", null, "sms"],
    ]);
  });
});

describe("a quota", () => {
  it("replaces the account's own, and the answer says what is in force", async () => {
    const path = `/v1/accounts/${account}/quotas`;
    const set = await api.operate("PUT", `${path}/email`, { hour: 5, day: null });
    expect(set.body).toEqual({
      account_id: account,
      channel: "email",
      hour: 5,
      day: null,
      effective: { hour: 5, day: null },
    });
    expect((await api.operate("PUT", `${path}/all`, {})).body).toEqual({
      account_id: account,
      channel: "all",
      effective: {},
    });
  });

  it("of a sender is kept by its canonical address, with its rate", async () => {
    const path = `/v1/accounts/${account}/senders`;
    const mail = await api.operate("PUT", `${path}/Shop%40Example.COM/quotas/email`, { hour: 2, rate: "30/min" });
    expect(mail.body).toEqual({
      account_id: account,
      channel: "email",
      sender: "shop@example.com",
      hour: 2,
      rate: "30/min",
    });
    const phone = await api.operate("PUT", `${path}/%2B15005550006/quotas/sms`, { rate: null });
    expect(phone.body).toMatchObject({ sender: "+15005550006", rate: null });
    expect(itemsOf(await api.operate("GET", path))).toHaveLength(2);
  });
});

describe("a key", () => {
  it("is shown once and never again", async () => {
    const made = await api.operate("POST", `/v1/accounts/${account}/keys`, { name: "Shop", api_limit: { minute: 5 } });
    const listed = await api.operate("GET", `/v1/accounts/${account}/keys`);
    expect(itemsOf(listed).at(-1)).toMatchObject({ id: made.body["id"], name: "Shop", api_limit: { minute: 5 } });
    expect(listed.text).not.toContain(textOf(made, "key"));
  });
});
