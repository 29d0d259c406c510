import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { at } from "../support/fake-state.ts";
import { textOf, anApi, anEmail, anSms, itemsOf, type Answer, type Api } from "./api.ts";

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
    const message = await ask("GET", `/v1/messages/${textOf({ body }, "id")}`);
    expect(message.body).toMatchObject({
      id: body["id"],
      account_id: account,
      priority: "normal",
      from: "+15005550006",
      to: anSms.to,
    });
    expect((await ask("GET", `/v1/sms/messages/${textOf({ body }, "id")}`)).text).toBe(message.text);
    expect((await ask("GET", `/v1/email/messages/${textOf({ body }, "id")}`)).status).toBe(404);
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
    const id = textOf({ body }, "id");
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
    const id = textOf({ body }, "id");
    expect((await ask("POST", `/v1/messages/${id}/replay`)).body).toMatchObject({
      status: 409,
      code: "not_replayable",
    });
    api.world.messages.set(id, { ...api.world.messages.get(id)!, status: "failed" });
    const again = await ask("POST", `/v1/messages/${id}/replay`);
    expect(again.status).toBe(202);
    expect(again.body["id"]).not.toBe(id);
  });

  it("is not sent again on a channel that has no provider any more", async () => {
    const { body } = await ask("POST", "/v1/sms/send", anSms);
    const id = textOf({ body }, "id");
    const before = api.world.drafts.length;
    api.world.messages.set(id, { ...api.world.messages.get(id)!, status: "failed", channel: "whatsapp" });
    expect((await ask("POST", `/v1/messages/${id}/replay`)).body).toMatchObject({
      status: 422,
      code: "channel_not_configured",
    });
    expect(api.world.drafts).toHaveLength(before);
  });
});
