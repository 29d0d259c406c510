import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import Fastify from "fastify";
import { readFileSync } from "node:fs";
import { loadPolicy } from "../../config/policies.ts";
import * as errors from "../../src/domain/errors.ts";
import { insistOnAccess } from "../../src/http/access.ts";
import { MAGIC_ADDRESSES, MAGIC_NUMBERS } from "../../src/sandbox/magic.ts";
import { ADMIN_KEY } from "../support/fake-services.ts";
import { anApi, type Api } from "./api.ts";

interface Operation {
  readonly operationId?: string;
  readonly security: readonly object[];
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content: Readonly<Record<string, { readonly schema: object }>>;
  };
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
const OF_THE_DOCUMENT = ["GET /openapi.json", "GET /", "GET /docs"];

describe("the document and the routes", () => {
  it("name the same operations", () => {
    expect([...documented(), ...OF_THE_DOCUMENT].sort()).toEqual([...served()].sort());
  });

  it("name all that the contract names", () => {
    const contract = `
      POST /v1/accounts
      GET /v1/accounts
      GET /v1/accounts/{id}
      PATCH /v1/accounts/{id}
      DELETE /v1/accounts/{id}
      PUT /v1/accounts/{id}/quotas/{channel}
      PUT /v1/accounts/{id}/senders/{sender}/quotas/{channel}
      POST /v1/accounts/{id}/keys
      GET /v1/accounts/{id}/keys
      PATCH /v1/accounts/{id}/keys/{key}
      DELETE /v1/accounts/{id}/keys/{key}
      POST /v1/accounts/{id}/keys/{key}/rotate
      POST /v1/auth/token
      POST /v1/auth/refresh
      GET /v1/plans
      PUT /v1/plans
      GET /v1/plans/{name}
      PUT /v1/plans/{name}
      GET /v1/audit
      POST /v1/accounts/{id}/channels/{channel}/pause
      POST /v1/accounts/{id}/channels/{channel}/resume
      POST /v1/channels/{channel}/pause
      POST /v1/channels/{channel}/resume
      POST /v1/email/send
      POST /v1/sms/send
      POST /v1/whatsapp/send
      POST /v1/voice/call
      POST /v1/email/send/bulk
      POST /v1/sms/send/bulk
      POST /v1/whatsapp/send/bulk
      GET /v1/messages
      GET /v1/messages/{id}
      GET /v1/{channel}/messages/{id}
      DELETE /v1/messages/{id}
      POST /v1/messages/{id}/replay
      GET /v1/batches/{id}
      DELETE /v1/batches/{id}
      POST /v1/suppressions
      GET /v1/suppressions
      DELETE /v1/suppressions
      GET /v1/quotas
      GET /v1/queues
      GET /v1/windows
      GET /v1/reports/usage
      GET /healthz
      GET /readyz
      GET /metrics
      POST /v1/callbacks/twilio/status
      GET /sandbox
      GET /sandbox/messages
    `;
    const named = contract.trim().split(/\n\s*/);
    expect(documented()).toEqual(expect.arrayContaining(named));
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

  it("each have a name of their own, which generated clients call them by", () => {
    const names = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(names).toContain("sendEmail");
    for (const name of names) expect(name).toMatch(/^[a-z]+(?:[A-Z][a-z]+)*$/);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
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

  it("say which bodies may be left out", () => {
    const optional = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods).flatMap(({ requestBody }) => (requestBody && requestBody.required !== true ? [path] : [])),
    );
    expect(optional.sort()).toEqual(["/v1/accounts/{id}/keys/{key}/rotate", "/v1/auth/token"]);
  });

  it("say between what every number lies that a caller writes", () => {
    const unbounded = (node: unknown, path: string): readonly string[] => {
      if (typeof node !== "object" || node === null) return [];
      const { type, minimum, maximum } = node as Record<string, unknown>;
      const isNumber = [type].flat().some((one) => one === "integer" || one === "number");
      return isNumber && (minimum === undefined || maximum === undefined)
        ? [path]
        : Object.entries(node).flatMap(([name, inner]) => unbounded(inner, `${path}/${name}`));
    };
    for (const { requestBody, parameters } of Object.values(document.paths).flatMap((path) => Object.values(path)))
      expect(unbounded({ requestBody, parameters }, "")).toEqual([]);
  });

  it("name ?account_id= where it is taken, and nowhere else", () => {
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, { description, parameters = [] }] of Object.entries(methods)) {
        const takes = parameters.some(({ name }) => name === "account_id");
        expect([method, path, description?.includes("?account_id=")]).toEqual([method, path, takes]);
      }
  });

  it("say of a 429 that it is the policy's to tell, where that is no problem+json", async () => {
    const { limiter, ...limits } = api.world.services.limits;
    const other = await anApi({ limits: { ...limits, limiter: { ...limiter, policy: loadPolicy("ipto") } } });
    const { paths } = (await other.ask("GET", "/openapi.json")).body as unknown as Document;
    await other.close();
    expect(Object.keys(paths["/v1/email/send"]?.["post"]?.responses["429"]?.content ?? {})).toEqual([
      "application/json",
      "application/problem+json",
    ]);
    // Outside the limits.
    expect(paths["/healthz"]?.["get"]?.responses).not.toHaveProperty("429");
    expect(document.paths["/v1/email/send"]?.["post"]?.responses).not.toHaveProperty("429");
  });

  it("refuse unknown fields in every body and query", () => {
    for (const methods of Object.values(document.paths))
      for (const { requestBody } of Object.values(methods))
        // A form is what a provider sends, who adds fields as it likes.
        for (const { schema } of [requestBody?.content["application/json"] ?? []].flat())
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
  /** Whoever has no signature. */
  const SIGNED = new Set(["POST /v1/callbacks/twilio/status"]);
  /** Whoever has nothing to show, in a body that is not sent here. */
  const REFRESHING = "POST /v1/auth/refresh";
  /** The operator's, or in need of a scope that keys do not have unless it is said. */
  const isOperators = (operation: string): boolean => /\/v1\/(?:accounts|channels|plans|audit|events)/.test(operation);

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
        ANYONE.has(operation)
          ? 200
          : THIS_MACHINE.has(operation) || SIGNED.has(operation)
            ? 403
            : operation === REFRESHING
              ? 422
              : 401,
      ]);
  });

  it("is an account for its own, and never for what is the operator's", async () => {
    const { key } = await api.anAccount();
    for (const [operation, status] of await answers(key)) {
      const isForbidden = isOperators(operation) || THIS_MACHINE.has(operation) || SIGNED.has(operation);
      expect([operation, status === 403]).toEqual([operation, isForbidden]);
      expect([operation, status]).not.toEqual([operation, 401]);
    }
  });

  it("is the operator for all but what an account does for itself", async () => {
    const accounts = /\/send(?:\/bulk)?$|\/call|\/replay|^DELETE \/v1\/(?:messages|batches)|\/auth\/token/;
    for (const [operation, status] of await answers(ADMIN_KEY))
      expect([operation, status === 403]).toEqual([operation, accounts.test(operation) || SIGNED.has(operation)]);
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
      // Of one field; invalidFields makes the same.
      if (make === errors.invalidField) return [];
      const made: unknown = (make as (...args: readonly unknown[]) => unknown)([], "x", "x");
      return made instanceof errors.SluiceError ? [`${made.status} ${made.code}`] : [];
    });
    expect(listed.sort()).toEqual([...new Set(defined)].sort());
  });

  it("tells of every recipient with whom the sandbox lets trouble be tried, and what it does", () => {
    const told = [...text.matchAll(/^\| `(\S+@sandbox\.invalid|\+1500555\d{4})` +\| (.*?) *\|$/gm)].map(
      ([, to, does]) => `${to} ${does}`,
    );
    expect(told).toEqual([...MAGIC_ADDRESSES, ...MAGIC_NUMBERS].map(({ to, does }) => `${to} ${does}`));
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
