/** Which key may do what: by the scopes that the document tells of, and what an account's own keys may do to its keys. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import Fastify from "fastify";
import { KEY_SCOPES, type KeyScope } from "../../src/domain/key-scope.ts";
import { insistOnAccess } from "../../src/http/access.ts";
import { anApi, fieldsOf, itemsOf, textOf, type Answer, type Api } from "./api.ts";

let api: Api;
let account: string;
beforeAll(async () => {
  api = await anApi();
});
afterAll(() => api.close());
beforeEach(async () => {
  ({ id: account } = await api.anAccount());
});

const aKey = async (scopes: readonly KeyScope[], of = account, more: object = {}) => {
  const made = await api.operate("POST", `/v1/accounts/${of}/keys`, { scopes, ...more });
  return { id: textOf(made, "id"), key: textOf(made, "key") };
};

describe("a route for account keys", () => {
  it("that tells no scope keeps the server from starting, as does one for others that tells one", async () => {
    const app = Fastify();
    insistOnAccess(app);
    app.get("/told", { config: { access: "account", scope: "read" } }, () => "");
    expect(() => app.get("/a", { config: { access: "account" } }, () => "")).toThrow(
      "expected GET /a to declare the scope that a key needs for it",
    );
    expect(() => app.post("/b", { config: { access: "account-or-operator" } }, () => "")).toThrow(/POST \/b .* scope/);
    expect(() => app.get("/c", { config: { access: "operator", scope: "admin" } }, () => "")).toThrow(
      /no scope of GET \/c/,
    );
    await app.close();
  });

  it("lets in the keys and the tokens that have its scope and no others, each as the document says", async () => {
    type Operations = Record<string, { security: readonly { key?: readonly string[] }[] }>;
    const paths = (await api.ask("GET", "/openapi.json")).body["paths"] as Record<string, Operations>;
    const keys = new Map<KeyScope, string>();
    for (const scope of KEY_SCOPES) keys.set(scope, (await aKey([scope])).key);
    const whole = (await aKey(KEY_SCOPES)).key;
    let seen = 0;
    for (const [path, operations] of Object.entries(paths))
      for (const [method, { security }] of Object.entries(operations)) {
        const [needed] = security[0]?.key ?? [];
        if (needed === undefined) continue;
        seen++;
        const concrete = path.replace("{channel}", "sms").replaceAll(/\{\w+\}/g, "x");
        for (const [scope, key] of keys) {
          const token = textOf(
            await api.ask("POST", "/v1/auth/token", { key: whole, body: { scope } }),
            "access_token",
          );
          for (const credential of [key, token]) {
            const answer = await api.ask(method.toUpperCase(), concrete, { key: credential });
            const what = [method, path, scope];
            if (scope === needed) expect([...what, answer.status]).not.toEqual([...what, 403]);
            else {
              expect([...what, answer.status, answer.body["code"]]).toEqual([...what, 403, "insufficient_scope"]);
              expect(answer.body["detail"]).toContain(`the scope ${needed}`);
              expect(answer.headers.get("www-authenticate")).toContain(`scope="${needed}"`);
            }
          }
        }
      }
    expect(seen).toBeGreaterThan(25);
  });

  it("is for looking, sending or managing, and reading never sends", async () => {
    const { paths } = (await api.ask("GET", "/openapi.json")).body as {
      paths: Record<string, Record<string, { security: readonly { key?: readonly string[] }[] }>>;
    };
    const needs = (method: string, path: string) => paths[path]?.[method]?.security[0]?.key;
    expect(needs("get", "/v1/messages")).toEqual(["read"]);
    expect(needs("get", "/v1/quotas")).toEqual(["read"]);
    expect(needs("post", "/v1/email/send")).toEqual(["send"]);
    expect(needs("delete", "/v1/messages/{id}")).toEqual(["send"]);
    expect(needs("delete", "/v1/suppressions")).toEqual(["send"]);
    expect(needs("get", "/v1/audit")).toEqual(["admin"]);
    for (const [path, operations] of Object.entries(paths))
      for (const [method, { security }] of Object.entries(operations))
        if (security[0]?.key?.[0] === "read") expect([path, method]).toEqual([path, "get"]);
  });
});

describe("a key", () => {
  it("may send and look unless more or less is said", async () => {
    const made = await api.operate("POST", `/v1/accounts/${account}/keys`, {});
    expect(made.body).toMatchObject({
      scopes: ["send", "read"],
      expires_at: null,
      last_used_at: null,
      replaced_by: null,
      api_limit: null,
    });
  });

  it.each([
    [{ scopes: [] }, "scopes"],
    [{ scopes: ["all"] }, "scopes[0]"],
    [{ scopes: ["send", "send"] }, "scopes"],
    [{ expires_at: "2026-03-01" }, "expires_at"],
    [{ expires_at: "2026-02-01T00:00:00Z" }, "expires_at"],
    [{ api_limit: { minute: 0 } }, "api_limit.minute"],
    [{ api_limit: { second: 1 } }, "api_limit.second"],
    [{ last_used_at: null }, "last_used_at"],
  ])("of %j is refused", async (fields, field) => {
    const answer = await api.operate("POST", `/v1/accounts/${account}/keys`, fields);
    expect([answer.status, fieldsOf(answer)]).toEqual([422, [field]]);
  });

  it("is told what was expected of scopes that come twice", async () => {
    const answer = await api.operate("POST", `/v1/accounts/${account}/keys`, { scopes: ["send", "send"] });
    expect(answer.body).toMatchObject({
      detail: 'scopes: expected each item once, got ["send","send"]',
      errors: [{ field: "scopes", expected: "each item once", got: '["send","send"]' }],
    });
  });

  it("is changed in what is named, and an empty change is none", async () => {
    const { id } = await aKey(["read"], account, { name: "One" });
    const path = `/v1/accounts/${account}/keys/${id}`;
    expect((await api.operate("PATCH", path, { api_limit: { minute: 7 } })).body).toMatchObject({
      name: "One",
      scopes: ["read"],
      api_limit: { minute: 7 },
    });
    expect((await api.operate("PATCH", path, { name: null, api_limit: null })).body).toMatchObject({
      name: null,
      api_limit: null,
    });
    expect((await api.operate("PATCH", path, {})).status).toBe(422);
    expect((await api.operate("PATCH", path, { key: "x" })).status).toBe(422);
    expect((await api.operate("PATCH", `/v1/accounts/${account}/keys/key_none`, { name: "x" })).status).toBe(404);
  });

  it.each([[-1], [30 * 86_400 + 1], [1.5], ["60"], [null]])("is not rotated with an overlap of %j", async (overlap) => {
    const { id } = await aKey(["read"]);
    const answer = await api.operate("POST", `/v1/accounts/${account}/keys/${id}/rotate`, { overlap });
    expect([answer.status, fieldsOf(answer)]).toEqual([422, ["overlap"]]);
  });
});

describe("an account's own key with admin", () => {
  const paths = (of: string) => ({ keys: `/v1/accounts/${of}/keys` });
  let admin: { id: string; key: string };
  beforeEach(async () => {
    admin = await aKey(["send", "admin"]);
  });
  const manage = (method: string, path: string, body?: unknown): Promise<Answer> =>
    api.ask(method, path, { key: admin.key, ...(body === undefined ? {} : { body }) });

  it("makes, lists, rotates and revokes its account's keys", async () => {
    const { keys } = paths(account);
    const made = await manage("POST", keys, { name: "Made", scopes: ["send"] });
    expect(made.status).toBe(201);
    expect(itemsOf(await manage("GET", keys)).map(({ id }) => id)).toContain(made.body["id"]);
    const one = `${keys}/${textOf(made, "id")}`;
    expect((await manage("GET", one)).body).toMatchObject({ name: "Made" });
    expect((await manage("PATCH", one, { name: "Renamed" })).body).toMatchObject({ name: "Renamed" });
    expect((await manage("POST", `${one}/rotate`)).status).toBe(201);
    expect((await manage("DELETE", one)).status).toBe(204);
  });

  it("finds no other account, nor its keys", async () => {
    const other = await api.anAccount();
    const { keys } = paths(other.id);
    const asked: [string, string, unknown?][] = [
      ["GET", keys],
      ["POST", keys, {}],
      ["GET", `${keys}/${other.keyId}`],
      ["PATCH", `${keys}/${other.keyId}`, { name: "x" }],
      ["POST", `${keys}/${other.keyId}/rotate`, {}],
      ["DELETE", `${keys}/${other.keyId}`],
      ["DELETE", `${paths(account).keys}/${other.keyId}`],
      ["PATCH", `${paths(account).keys}/${other.keyId}`, { name: "x" }],
      ["POST", `${paths(account).keys}/${other.keyId}/rotate`, {}],
    ];
    for (const [method, path, body] of asked) {
      const answer = await manage(method, path, body);
      expect([method, path, answer.status]).toEqual([method, path, 404]);
    }
    expect((await api.ask("GET", "/v1/messages", { key: other.key })).status).toBe(200);
    expect((await manage("GET", `/v1/audit?account_id=${other.id}`)).status).toBe(404);
    expect((await manage("GET", `/v1/audit?account_id=${account}`)).status).toBe(200);
  });

  it("gives no scope that it lacks: not by making, nor by changing, nor by rotating", async () => {
    const { keys } = paths(account);
    const reader = await aKey(["read"]);
    for (const [method, path, body] of [
      ["POST", keys, { scopes: ["read"] }],
      ["POST", keys, {}],
      ["PATCH", `${keys}/${admin.id}`, { scopes: ["send", "read", "admin"] }],
      ["POST", `${keys}/${reader.id}/rotate`, {}],
    ] as const) {
      const answer = await manage(method, path, body);
      expect([method, path, answer.status, answer.body["code"]]).toEqual([method, path, 403, "insufficient_scope"]);
    }
    const token = textOf(
      await api.ask("POST", "/v1/auth/token", { key: admin.key, body: { scope: "admin" } }),
      "access_token",
    );
    const narrowed = await api.ask("POST", keys, { key: token, body: { scopes: ["send"] } });
    expect(narrowed.body["code"]).toBe("insufficient_scope");
  });

  it("sets no limit on requests, and what it makes has its own", async () => {
    const { keys } = paths(account);
    const limited = await aKey(["send", "admin"], account, { api_limit: { minute: 5 } });
    const ask = (method: string, path: string, body: unknown) => api.ask(method, path, { key: limited.key, body });
    for (const api_limit of [{ minute: 1_000 }, { minute: 1 }])
      expect((await ask("POST", keys, { scopes: ["send"], api_limit })).status).toBe(403);
    for (const api_limit of [{ minute: 1_000 }, null])
      expect((await ask("PATCH", `${keys}/${limited.id}`, { api_limit })).status).toBe(403);
    expect((await ask("POST", keys, { scopes: ["send"] })).body).toMatchObject({ api_limit: { minute: 5 } });
  });

  it("makes none that outlives it", async () => {
    const { keys } = paths(account);
    const until = "2026-03-02T00:00:00Z";
    const brief = await aKey(["send", "admin"], account, { expires_at: until });
    const ask = (method: string, path: string, body: unknown) => api.ask(method, path, { key: brief.key, body });
    const shown = "2026-03-02T05:45:00+05:45";
    expect((await ask("POST", keys, { scopes: ["send"] })).body).toMatchObject({ expires_at: shown });
    expect((await ask("POST", keys, { scopes: ["send"], expires_at: "2026-03-01T12:00:00Z" })).status).toBe(201);
    for (const expires_at of ["2026-03-02T00:00:01Z", null])
      expect(fieldsOf(await ask("PATCH", `${keys}/${brief.id}`, { expires_at }))).toEqual(["expires_at"]);
    expect(fieldsOf(await ask("POST", keys, { scopes: ["send"], expires_at: "2027-01-01T00:00:00Z" }))).toEqual([
      "expires_at",
    ]);
  });

  it("puts none in the place of one that may do more than it", async () => {
    const { keys } = paths(account);
    const until = "2026-03-02T00:00:00Z";
    const bounds = { expires_at: until, api_limit: { minute: 50 } };
    const bounded = await aKey(["send", "admin"], account, bounds);
    const rotate = (id: string) => api.ask("POST", `${keys}/${id}/rotate`, { key: bounded.key });
    for (const more of [
      {},
      { api_limit: { minute: 50 } },
      { expires_at: until },
      { expires_at: "2026-03-02T00:00:01Z", api_limit: { minute: 50 } },
      { expires_at: until, api_limit: { minute: 51 } },
      { expires_at: until, api_limit: { hour: 50 } },
    ]) {
      const other = await aKey(["send"], account, more);
      expect([more, (await rotate(other.id)).body["code"]]).toEqual([more, "forbidden"]);
      expect((await api.operate("GET", `${keys}/${other.id}`)).body["replaced_by"]).toBeNull();
    }
    const less = await aKey(["send"], account, { expires_at: until, api_limit: { minute: 50, hour: 70 } });
    expect([(await rotate(less.id)).status, (await rotate(bounded.id)).status]).toEqual([201, 201]);
  });

  it("is no operator", async () => {
    for (const [method, path] of [
      ["GET", "/v1/accounts"],
      ["GET", `/v1/accounts/${account}`],
      ["PATCH", `/v1/accounts/${account}`],
      ["PUT", `/v1/accounts/${account}/quotas/email`],
      ["POST", `/v1/accounts/${account}/channels/sms/pause`],
      ["GET", "/v1/plans"],
      ["PUT", "/v1/plans/free"],
      ["PUT", "/v1/plans"],
    ] as const) {
      const answer = await manage(method, path, method === "GET" ? undefined : {});
      expect([path, answer.status, answer.body["code"]]).toEqual([path, 403, "forbidden"]);
    }
  });
});
