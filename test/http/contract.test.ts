import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import Fastify from "fastify";
import { readFileSync } from "node:fs";
import { Compile } from "typebox/compile";
import { CHANNELS } from "../../src/domain/channel.ts";
import * as errors from "../../src/domain/errors.ts";
import { insistOnAccess } from "../../src/http/access.ts";
import { ADMIN_KEY, at } from "../support/fake-services.ts";
import { anApi, anEmail, anSms, type Answer, type Api } from "./api.ts";

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

/** `GET /v1/accounts/{id}`, as the router itself tells of them. */
const served = (): readonly string[] => {
  const found: string[] = [];
  const path: string[] = [];
  for (const line of api.app.printRoutes({ commonPrefix: false }).split("\n")) {
    const [, indent = "", rest = ""] = /^([│ ]*)(?:├── |└── )(.*)$/.exec(line) ?? [];
    if (rest === "") continue;
    const [, segment = "", methods] = /^(\S*)(?: \((.*)\))?$/.exec(rest) ?? [];
    path.length = indent.length / 4;
    path.push(segment);
    const whole = path.join("").replaceAll(/:([a-z_]+)/g, "{$1}");
    for (const method of methods?.split(", ") ?? []) if (method !== "HEAD") found.push(`${method} ${whole}`);
  }
  return found;
};
const documented = (): readonly string[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
/** What tells of the others need not tell of itself. */
const OF_THE_DOCUMENT = ["GET /openapi.json", "GET /docs"];

describe("the document and the routes", () => {
  it("name the same operations", () => {
    expect([...documented(), ...OF_THE_DOCUMENT].sort()).toEqual([...served()].sort());
  });

  it("name all that the contract names", () => {
    const contract = [
      ...[
        "POST /v1/accounts",
        "GET /v1/accounts",
        "GET /v1/accounts/{id}",
        "PATCH /v1/accounts/{id}",
        "DELETE /v1/accounts/{id}",
      ],
      ...["PUT /v1/accounts/{id}/quotas/{channel}", "PUT /v1/accounts/{id}/senders/{sender}/quotas/{channel}"],
      ...["POST /v1/accounts/{id}/keys", "GET /v1/accounts/{id}/keys", "DELETE /v1/accounts/{id}/keys/{key}"],
      ...["POST /v1/accounts/{id}/channels/{channel}/pause", "POST /v1/accounts/{id}/channels/{channel}/resume"],
      ...["POST /v1/channels/{channel}/pause", "POST /v1/channels/{channel}/resume"],
      ...["POST /v1/email/send", "POST /v1/sms/send", "POST /v1/whatsapp/send", "POST /v1/voice/call"],
      ...["POST /v1/email/send/bulk", "POST /v1/sms/send/bulk", "POST /v1/whatsapp/send/bulk"],
      ...["GET /v1/messages", "GET /v1/messages/{id}", "GET /v1/{channel}/messages/{id}", "DELETE /v1/messages/{id}"],
      ...["POST /v1/messages/{id}/replay", "GET /v1/batches/{id}", "DELETE /v1/batches/{id}"],
      ...["POST /v1/suppressions", "GET /v1/suppressions", "DELETE /v1/suppressions"],
      ...["GET /v1/quotas", "GET /v1/queues", "GET /v1/windows", "GET /v1/reports/usage"],
      ...["GET /healthz", "GET /readyz", "GET /metrics", "GET /sandbox", "GET /sandbox/messages"],
    ];
    expect(documented()).toEqual(expect.arrayContaining(contract));
  });

  it("are OpenAPI 3.1, and every operation says what it is, what it answers and what goes wrong", () => {
    expect(document.openapi).toBe("3.1.0");
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, operation] of Object.entries(methods)) {
        const statuses = Object.keys(operation.responses).map((status) => status.toUpperCase());
        expect([method, path, statuses]).toEqual([method, path, expect.arrayContaining(["4XX", "5XX"])]);
        expect([method, path, statuses.some((status) => /^2\d\d$/.test(status))]).toEqual([method, path, true]);
        expect([method, path, operation.summary]).toEqual([method, path, expect.any(String)]);
      }
  });

  it("say the same of Idempotency-Key", () => {
    const taking = Object.entries(document.paths)
      .filter(([, { post }]) => post?.parameters?.some(({ name }) => name === "Idempotency-Key"))
      .map(([path]) => path);
    expect(taking.sort()).toEqual([
      "/v1/email/send",
      "/v1/email/send/bulk",
      "/v1/messages/{id}/replay",
      "/v1/sms/send",
      "/v1/sms/send/bulk",
      "/v1/voice/call",
      "/v1/whatsapp/send",
      "/v1/whatsapp/send/bulk",
    ]);
  });

  it("refuse unknown fields in every body and query", () => {
    for (const methods of Object.values(document.paths))
      for (const { requestBody } of Object.values(methods))
        for (const { schema } of Object.values(requestBody?.content ?? {}))
          expect(schema).toMatchObject({ type: "object", additionalProperties: false });
  });
});

describe("who may call what", () => {
  const answers = async (key?: string): Promise<ReadonlyMap<string, number>> => {
    const seen = new Map<string, number>();
    for (const operation of documented()) {
      const [method = "", path = ""] = operation.split(" ");
      const concrete = path.replace("{channel}", "sms").replaceAll(/\{\w+\}/g, "x");
      const asking = { ...(key === undefined ? {} : { key }), headers: { "X-Forwarded-For": "203.0.113.9" } };
      seen.set(operation, (await api.ask(method, concrete, asking)).status);
    }
    return seen;
  };
  const ANYONE = new Set(["GET /healthz", "GET /readyz"]);
  const THIS_MACHINE = new Set(["GET /metrics", "GET /sandbox", "GET /sandbox/messages"]);
  const isOperators = (operation: string): boolean => /\/v1\/(?:accounts|channels)/.test(operation);

  it("is told by every route: one that does not say keeps the server from starting", async () => {
    const app = Fastify();
    insistOnAccess(app);
    app.get("/told", { config: { access: "anyone" } }, () => "");
    expect(() => app.get("/untold", () => "")).toThrow("expected GET /untold to declare who may call it");
    await app.close();
  });

  it("is nobody without a key, but for what is anyone's", async () => {
    for (const [operation, status] of await answers())
      expect([operation, status]).toEqual([
        operation,
        ANYONE.has(operation) ? 200 : THIS_MACHINE.has(operation) ? 403 : 401,
      ]);
  });

  it("is an account for its own, and never for what is the operator's", async () => {
    const { key } = await api.anAccount();
    for (const [operation, status] of await answers(key)) {
      const isForbidden = isOperators(operation) || THIS_MACHINE.has(operation);
      expect([operation, status === 403]).toEqual([operation, isForbidden]);
      expect([operation, status]).not.toEqual([operation, 401]);
    }
  });

  it("is the operator for all but what an account does for itself", async () => {
    const accounts = /\/send(?:\/bulk)?$|\/call|\/replay|^DELETE \/v1\/(?:messages|batches)/;
    for (const [operation, status] of await answers(ADMIN_KEY))
      expect([operation, status === 403]).toEqual([operation, accounts.test(operation)]);
  });
});

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
    const id = String(made.body["id"]);
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
    const one = `/v1/accounts/${id}/keys/${String(key.body["id"])}`;
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
    const id = String(sent.body["id"]);
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
    conforms("DELETE /v1/messages/{id}", await ask("DELETE", `/v1/messages/${String(replayed.body["id"])}`), 200);
    const batch = `/v1/batches/${String(bulk.body["batch_id"])}`;
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

describe("docs/api.md", () => {
  const text = readFileSync(new URL("../../docs/api.md", import.meta.url), "utf8");

  it("lists every error code with its status, and no other", () => {
    const listed = [...text.matchAll(/^\| (\d{3}) +\| `([a-z_]+)` +\|/gm)].map(
      ([, status, code]) => `${status} ${code}`,
    );
    const defined = Object.values(errors).flatMap((make: unknown) => {
      if (typeof make !== "function" || make === errors.quoted || make === errors.SluiceError) return [];
      const made: unknown = (make as (...args: readonly unknown[]) => unknown)([], "x", "x");
      return made instanceof errors.SluiceError ? [`${made.status} ${made.code}`] : [];
    });
    expect(listed.sort()).toEqual([...new Set(defined)].sort());
  });

  it("tells of every route", () => {
    for (const operation of [...documented(), ...OF_THE_DOCUMENT]) {
      const path = operation.split(" ")[1] ?? "";
      const family = path.replace(/\/resume$/, "/pause").replace(/\?.*/, "");
      expect([operation, text.includes(family)]).toEqual([operation, true]);
    }
  });
});

it("shows all of it as a page that runs nothing and loads nothing", async () => {
  const page = await api.ask("GET", "/docs");
  expect(page.status).toBe(200);
  expect(page.headers.get("content-type")).toMatch(/^text\/html/);
  expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
  for (const path of Object.keys(document.paths)) expect(page.text).toContain(`<code>${path}</code>`);
  expect(page.text).not.toMatch(/<script|javascript:|https?:\/\//);
});
