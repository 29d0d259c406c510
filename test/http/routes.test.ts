import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { at } from "../support/fake-services.ts";
import { anApi, anEmail, anSms, itemsOf, type Answer, type Api } from "./api.ts";

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
    expect(path).toBe(`/v1/accounts/${String(made.body["id"])}`);
    expect((await api.operate("PATCH", path, { name: "More books" })).body).toMatchObject({ name: "More books" });
    expect((await api.operate("GET", path)).body).toMatchObject({ name: "More books", timezone: "Asia/Kathmandu" });
    const seen: unknown[] = [];
    for (let cursor = ""; ;) {
      const page = await api.operate("GET", `/v1/accounts?limit=1${cursor}`);
      seen.push(...itemsOf(page).map(({ id }) => id));
      if (page.body["next_cursor"] === null) break;
      cursor = `&cursor=${String(page.body["next_cursor"])}`;
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
    expect(listed.text).not.toContain(String(made.body["key"]));
  });
});

describe("sending", () => {
  it("hands the gate a draft: canonical addresses, instants, the whole content", async () => {
    const answer = await ask("POST", "/v1/email/send", {
      ...anEmail,
      to: "Ann@EXAMPLE.com",
      from: "The Shop <Shop@Example.com>",
      html: "<p>It works.</p>",
      reply_to: "help@example.com",
      headers: { "List-Unsubscribe": "<https://example.com/u>" },
      priority: "high",
      send_at: "2026-03-01T11:00:00+05:45",
      ttl: 60,
      reference: "order-1",
      metadata: { order: 1 },
    });
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^msg_/),
      channel: "email",
      status: "scheduled",
      held_by: "schedule",
      estimated_send_at: "2026-03-01T11:00:00+05:45",
      created_at: "2026-03-01T10:14:00+05:45",
    });
    expect(api.world.drafts.at(-1)).toEqual({
      channel: "email",
      sender: "shop@example.com",
      recipient: "Ann@example.com",
      class: "high",
      content: {
        from: "The Shop <Shop@Example.com>",
        to: "Ann@example.com",
        subject: "Hello",
        text: "It works.",
        html: "<p>It works.</p>",
        reply_to: "help@example.com",
        headers: { "List-Unsubscribe": "<https://example.com/u>" },
      },
      sendAt: at("2026-03-01T05:15:00Z"),
      expiresAt: at("2026-03-01T05:16:00Z"),
      reference: "order-1",
      metadata: { order: 1 },
    });
  });

  it("goes out as the configured sender where the message names none", async () => {
    await ask("POST", "/v1/sms/send", anSms);
    expect(api.world.drafts.at(-1)).toEqual({
      channel: "sms",
      sender: "+15005550006",
      recipient: "+9779812345678",
      class: "normal",
      content: { body: "It works." },
    });
    await ask("POST", "/v1/voice/call", {
      from: "+15005550007",
      to: anSms.to,
      say: "Hello",
      voice: "Polly.Joanna",
      language: "en-GB",
    });
    expect(api.world.drafts.at(-1)).toMatchObject({
      sender: "+15005550007",
      content: { say: "Hello", voice: "Polly.Joanna", language: "en-GB" },
    });
  });

  it("is refused on a channel that has no provider, with what to set", async () => {
    const answer = await ask("POST", "/v1/whatsapp/send", anSms);
    expect(answer.body).toMatchObject({
      status: 422,
      code: "channel_not_configured",
      detail: expect.stringContaining("TWILIO_ACCOUNT_SID"),
    });
  });

  it("with on_late: reject is refused when it cannot go in time, and when nobody can say", async () => {
    const picky = { ...anEmail, on_late: "reject", expires_at: "2026-03-01T05:00:00Z" };
    const before = api.world.drafts.length;
    for (const estimate of [at("2026-03-01T05:00:00Z"), null]) {
      api.world.estimate = estimate;
      expect((await ask("POST", "/v1/email/send", picky)).body).toMatchObject({ status: 409, code: "would_expire" });
    }
    expect(api.world.drafts).toHaveLength(before);
    api.world.estimate = at("2026-03-01T04:59:59Z");
    expect((await ask("POST", "/v1/email/send", picky)).status).toBe(202);
    expect((await ask("POST", "/v1/email/send", { ...anEmail, on_late: "reject" })).status).toBe(202);
  });

  it("tells a suppressed recipient", async () => {
    const suppression = { channel: "email", address: "Ann@Example.com" };
    const made = await ask("POST", "/v1/suppressions", suppression);
    expect(made.body).toMatchObject({ channel: "email", address: "ann@example.com", reason: "manual" });
    expect((await ask("POST", "/v1/email/send", anEmail)).body["status"]).toBe("suppressed");
    expect(itemsOf(await ask("GET", "/v1/suppressions?channel=email&address=ANN@example.com"))).toHaveLength(1);
    const query = "/v1/suppressions?channel=email&address=ANN%40example.com";
    expect((await ask("DELETE", query)).status).toBe(204);
    expect((await ask("DELETE", query)).status).toBe(404);
    expect((await ask("POST", "/v1/email/send", anEmail)).body["status"]).toBe("queued");
  });
});

describe("a message", () => {
  it("is read by its id, and by its channel if it is of that channel", async () => {
    const { body } = await ask("POST", "/v1/sms/send", anSms);
    const message = await ask("GET", `/v1/messages/${String(body["id"])}`);
    expect(message.body).toMatchObject({
      id: body["id"],
      account_id: account,
      priority: "normal",
      from: "+15005550006",
      to: anSms.to,
    });
    expect((await ask("GET", `/v1/sms/messages/${String(body["id"])}`)).text).toBe(message.text);
    expect((await ask("GET", `/v1/email/messages/${String(body["id"])}`)).status).toBe(404);
  });

  it("is listed by what it is", async () => {
    await ask("POST", "/v1/email/send", { ...anEmail, reference: "r-1" });
    await ask("POST", "/v1/sms/send", anSms);
    const count = async (query: string): Promise<number> => itemsOf(await ask("GET", `/v1/messages?${query}`)).length;
    expect([
      await count(""),
      await count("reference=r-1"),
      await count("channel=sms"),
      await count("status=sent"),
    ]).toEqual([2, 1, 1, 0]);
  });

  it("is canceled while it waits, and not afterwards", async () => {
    const { body } = await ask("POST", "/v1/email/send", anEmail);
    const id = String(body["id"]);
    const cancel = (): Promise<Answer> => ask("DELETE", `/v1/messages/${id}`);
    api.world.messages.set(id, { ...api.world.messages.get(id)!, status: "sending" });
    expect((await cancel()).body).toMatchObject({ status: 409, code: "already_sending" });
    api.world.messages.set(id, { ...api.world.messages.get(id)!, status: "queued" });
    expect((await cancel()).body).toEqual({ id, status: "canceled" });
    expect((await cancel()).body).toMatchObject({
      status: 409,
      code: "already_final",
      detail: expect.stringContaining("canceled"),
    });
  });

  it("is sent again as a new one only when it failed", async () => {
    const { body } = await ask("POST", "/v1/email/send", anEmail);
    const id = String(body["id"]);
    expect((await ask("POST", `/v1/messages/${id}/replay`)).body).toMatchObject({
      status: 409,
      code: "not_replayable",
    });
    api.world.messages.set(id, { ...api.world.messages.get(id)!, status: "failed" });
    const again = await ask("POST", `/v1/messages/${id}/replay`);
    expect(again.status).toBe(202);
    expect(again.body["id"]).not.toBe(id);
  });
});

describe("looking", () => {
  it("shows quotas in the account's zone, and never less than nothing left", async () => {
    await api.operate("PUT", `/v1/accounts/${account}/quotas/email`, { hour: 5, day: 1 });
    await api.operate("PUT", `/v1/accounts/${account}/senders/a@b.co/quotas/email`, { hour: 9 });
    const { body } = await ask("GET", "/v1/quotas");
    expect(body["email"]).toMatchObject({
      hour: {
        ...{ limit: 5, used: 2, held: 1, remaining: 2 },
        ...{ starts_at: "2026-03-01T10:00:00+05:45", resets_at: "2026-03-01T11:00:00+05:45" },
      },
      day: { limit: 1, remaining: 0, resets_at: "2026-03-02T00:00:00+05:45" },
      month: { limit: null, remaining: null },
    });
    expect(body["senders"]).toMatchObject({ "a@b.co": { email: { hour: { limit: 9, remaining: 6 } } } });
  });

  it("shows queues, and to the operator the sums with BullMQ's counts", async () => {
    expect((await ask("GET", "/v1/queues")).body["sms"]).toEqual({
      ...{ queued: 3, throttled: 1, scheduled: 0, sending: 0, oldest_at: "2026-03-01T10:14:00+05:45" },
      ...{ rate_per_second: 14, drains_at: null, paused: false },
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
