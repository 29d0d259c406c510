import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Compile } from "typebox/compile";
import { CHANNELS } from "../../src/domain/channel.ts";
import { at } from "../support/fake-state.ts";
import { textOf, anApi, anEmail, anSms, type Answer, type Api } from "./api.ts";

interface Operation {
  readonly security: readonly object[];
  readonly summary?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

let api: Api;
let document: Document;
beforeAll(async () => {
  api = await anApi();
  document = (await api.ask("GET", "/openapi.json")).body as unknown as Document;
});
afterAll(() => api.close());

describe("every answer is what the document says", () => {
  const conforms = (operation: string, answer: Answer, expected: number): void => {
    const [method = "", path = ""] = operation.split(" ");
    const told = document.paths[path]?.[method.toLowerCase()]?.responses[String(expected)];
    expect([operation, answer.status, answer.text]).toEqual([operation, expected, expect.anything()]);
    const schema = Object.values(told?.content ?? {})[0]?.schema;
    if (schema === undefined) return expect(answer.text).toBe("");
    if (/json/.test(answer.headers.get("content-type") ?? ""))
      expect([operation, Compile(schema).Errors(JSON.parse(answer.text))]).toEqual([operation, []]);
  };

  it("for the operator", async () => {
    const made = await api.operate("POST", "/v1/accounts", {
      name: "Whole",
      timezone: "Asia/Kathmandu",
      plan: "starter",
      weight: 2,
      quotas: { email: { hour: 5, day: null }, all: { month: 0 } },
      on_uncertain: { sms: "resend", voice: "hold" },
    });
    conforms("POST /v1/accounts", made, 201);
    const id = textOf(made, "id");
    conforms("GET /v1/accounts/{id}", await api.operate("GET", `/v1/accounts/${id}`), 200);
    conforms("GET /v1/accounts", await api.operate("GET", "/v1/accounts?limit=1"), 200);
    conforms("PATCH /v1/accounts/{id}", await api.operate("PATCH", `/v1/accounts/${id}`, { timezone: "UTC" }), 200);
    const quota = "PUT /v1/accounts/{id}/quotas/{channel}";
    for (const channel of [...CHANNELS, "all"])
      conforms(quota, await api.operate("PUT", `/v1/accounts/${id}/quotas/${channel}`, { minute: 1, hour: null }), 200);
    const sender = "PUT /v1/accounts/{id}/senders/{sender}/quotas/{channel}";
    conforms(
      sender,
      await api.operate("PUT", `/v1/accounts/${id}/senders/a%40b.co/quotas/email`, { day: 1, rate: "1/s" }),
      200,
    );
    conforms("GET /v1/accounts/{id}/senders", await api.operate("GET", `/v1/accounts/${id}/senders`), 200);
    const key = await api.operate("POST", `/v1/accounts/${id}/keys`, { name: "Shop", api_limit: { minute: 10 } });
    conforms("POST /v1/accounts/{id}/keys", key, 201);
    conforms("GET /v1/accounts/{id}/keys", await api.operate("GET", `/v1/accounts/${id}/keys`), 200);
    const one = `/v1/accounts/${id}/keys/${textOf(key, "id")}`;
    conforms("GET /v1/accounts/{id}/keys/{key}", await api.operate("GET", one), 200);
    conforms("DELETE /v1/accounts/{id}/keys/{key}", await api.operate("DELETE", one), 204);
    for (const verb of ["pause", "resume"]) {
      const ofAccount = `POST /v1/accounts/{id}/channels/{channel}/${verb}`;
      conforms(ofAccount, await api.operate("POST", `/v1/accounts/${id}/channels/sms/${verb}`), 200);
      conforms(`POST /v1/channels/{channel}/${verb}`, await api.operate("POST", `/v1/channels/sms/${verb}`), 200);
    }
    conforms("GET /v1/queues", await api.operate("GET", "/v1/queues"), 200);
    conforms("DELETE /v1/accounts/{id}", await api.operate("DELETE", `/v1/accounts/${id}`), 204);
    const busy = await api.anAccount();
    await api.ask("POST", "/v1/email/send", { key: busy.key, body: anEmail });
    conforms("DELETE /v1/accounts/{id}", await api.operate("DELETE", `/v1/accounts/${busy.id}?force=true`), 202);
  });

  it("for an account", async () => {
    const { key, id: account } = await api.anAccount({ quotas: { email: { hour: 5 } } });
    await api.operate("PUT", `/v1/accounts/${account}/senders/shop%40example.com/quotas/email`, { hour: 2 });
    const ask = (method: string, path: string, body?: unknown): Promise<Answer> => api.ask(method, path, { key, body });
    const sent = await ask("POST", "/v1/email/send", { ...anEmail, reference: "r", metadata: { a: [1] }, ttl: 60 });
    conforms("POST /v1/email/send", sent, 202);
    conforms(
      "POST /v1/sms/send",
      await ask("POST", "/v1/sms/send", { ...anSms, send_at: "2026-03-02T00:00:00Z" }),
      202,
    );
    conforms(
      "POST /v1/voice/call",
      await ask("POST", "/v1/voice/call", { from: "+15005550006", to: anSms.to, say: "Hi" }),
      202,
    );
    const bulk = await ask("POST", "/v1/email/send/bulk", { messages: [anEmail, {}] });
    conforms("POST /v1/email/send/bulk", bulk, 202);
    const id = textOf(sent, "id");
    const before = api.world.messages.get(id)!;
    const attempt = { number: 1, startedAt: api.world.now, provider: "smtp" };
    api.world.messages.set(id, {
      ...before,
      status: "failed",
      endedAt: api.world.now,
      reason: "no such user",
      attempts: [
        { ...attempt, outcome: "transient", error: "451" },
        { ...attempt, outcome: "sent", providerId: "x" },
      ],
    });
    conforms("GET /v1/messages/{id}", await ask("GET", `/v1/messages/${id}`), 200);
    conforms("GET /v1/{channel}/messages/{id}", await ask("GET", `/v1/email/messages/${id}`), 200);
    conforms("GET /v1/messages", await ask("GET", "/v1/messages?limit=2"), 200);
    const replayed = await ask("POST", `/v1/messages/${id}/replay`);
    conforms("POST /v1/messages/{id}/replay", replayed, 202);
    conforms("DELETE /v1/messages/{id}", await ask("DELETE", `/v1/messages/${textOf(replayed, "id")}`), 200);
    const batch = `/v1/batches/${textOf(bulk, "batch_id")}`;
    conforms("GET /v1/batches/{id}", await ask("GET", batch), 200);
    conforms("DELETE /v1/batches/{id}", await ask("DELETE", batch), 200);
    const address = { channel: "email", address: "gone@example.com" };
    conforms("POST /v1/suppressions", await ask("POST", "/v1/suppressions", { ...address, reason: "asked" }), 201);
    conforms("GET /v1/suppressions", await ask("GET", "/v1/suppressions"), 200);
    const query = new URLSearchParams(address);
    conforms("DELETE /v1/suppressions", await ask("DELETE", `/v1/suppressions?${query.toString()}`), 204);
    conforms("GET /v1/quotas", await ask("GET", "/v1/quotas"), 200);
    conforms("GET /v1/queues", await ask("GET", "/v1/queues"), 200);
    conforms("GET /v1/windows", await ask("GET", "/v1/windows"), 200);
    api.world.usage.push({
      startsAt: at("2026-03-01T04:00:00Z"),
      channel: "sms",
      sent: 1,
      failed: 0,
      uncertain: 0,
      throttled: 2,
    });
    conforms("GET /v1/reports/usage", await ask("GET", "/v1/reports/usage"), 200);
  });

  it("for anyone, and for this machine", async () => {
    api.world.arrivals.push({
      channel: "email",
      to: "ann@example.com",
      from: "shop@example.com",
      subject: "Hello",
      body: "It works.",
      received_at: "2026-03-01T04:29:00.000Z",
      message_id: "msg_1",
    });
    conforms("GET /healthz", await api.ask("GET", "/healthz"), 200);
    conforms("GET /readyz", await api.ask("GET", "/readyz"), 200);
    conforms("GET /sandbox/messages", await api.ask("GET", "/sandbox/messages"), 200);
    conforms("GET /metrics", await api.ask("GET", "/metrics"), 200);
    conforms("GET /sandbox", await api.ask("GET", "/sandbox"), 200);
  });

  it("when something is wrong", async () => {
    const schema =
      document.paths["/v1/accounts"]?.["post"]?.responses["4XX"]?.content?.["application/problem+json"]?.schema;
    for (const body of [{}, { name: 5 }, { name: "a", timezone: "PST" }])
      expect(Compile(schema!).Errors((await api.operate("POST", "/v1/accounts", body)).body)).toEqual([]);
  });
});
