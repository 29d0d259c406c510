import { afterEach, describe, expect, it } from "@jest/globals";
import { connect } from "node:net";
import { anApi, anEmail, type Api } from "./api.ts";

let api: Api;
afterEach(() => api.close());

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });

describe("while Redis is away", () => {
  it("every route that needs it answers 503 with Retry-After, and all is well again by itself", async () => {
    api = await anApi();
    const { key, id } = await api.anAccount();
    api.world.trouble = named("MaxRetriesPerRequestError", "Reached the max retries per request limit (which is 1).");
    const asked = [
      await api.ask("POST", "/v1/email/send", { key, body: anEmail }),
      await api.ask("GET", "/v1/quotas", { key }),
      await api.operate("POST", "/v1/accounts", { name: "x", timezone: "UTC" }),
      await api.operate("GET", `/v1/accounts/${id}`),
    ];
    for (const answer of asked) {
      expect(answer.body).toMatchObject({ status: 503, code: "unavailable" });
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    expect((await api.ask("GET", "/healthz")).status).toBe(200);
    const ready = await api.ask("GET", "/readyz");
    expect([ready.status, ready.headers.get("retry-after")]).toEqual([503, "2"]);
    expect(ready.body).toMatchObject({ status: "not_ready", reasons: [expect.stringContaining("Redis")] });
    api.world.trouble = null;
    expect((await api.ask("POST", "/v1/email/send", { key, body: anEmail })).status).toBe(202);
    expect((await api.ask("GET", "/readyz")).status).toBe(200);
  });

  it("a full Redis is answered the same", async () => {
    api = await anApi();
    const { key } = await api.anAccount();
    api.world.before = async () => {
      throw named("ReplyError", "OOM command not allowed when used memory > 'maxmemory'.");
    };
    const answer = await api.ask("POST", "/v1/email/send", { key, body: anEmail });
    expect(answer.body).toMatchObject({ status: 503, code: "unavailable", detail: expect.stringContaining("full") });
  });

  it("readiness says what is wrong", async () => {
    api = await anApi();
    api.world.ready = {
      ...api.world.ready,
      ok: false,
      reasons: ["expected maxmemory-policy noeviction, got allkeys-lru"],
    };
    const ready = await api.ask("GET", "/readyz");
    expect(ready.status).toBe(503);
    expect(ready.body["reasons"]).toEqual(["expected maxmemory-policy noeviction, got allkeys-lru"]);
  });
});

it("answers a mistake of ours with 500 and the id under which it is in the log, and nothing else of it", async () => {
  api = await anApi();
  const { key } = await api.anAccount();
  api.world.before = async () => {
    throw new TypeError("Cannot read properties of undefined (reading 'secret')");
  };
  const answer = await api.ask("POST", "/v1/email/send", { key, body: anEmail });
  expect(answer.body).toMatchObject({ status: 500, code: "internal_error" });
  expect(answer.text).not.toMatch(/secret|undefined|TypeError/);
  const logged = api.world.logged.find(({ event }) => event === "internal_error");
  expect(logged).toMatchObject({
    request_id: answer.body["request_id"],
    err: { message: expect.stringContaining("secret") },
  });
});

it("takes a caller that hangs up in the middle of its body for no mistake of ours", async () => {
  api = await anApi();
  const { key } = await api.anAccount();
  const gone = new Promise<void>((resolve) => {
    api.app.server.on("request", ({ socket }) => socket.once("close", resolve));
  });
  const head = `POST /v1/email/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json`;
  const socket = connect(api.port, "127.0.0.1", () => {
    socket.write(`${head}\r\nContent-Length: 100\r\n\r\n{"a"`);
  });
  api.app.server.once("request", () => socket.destroy());
  await gone;
  expect((await api.ask("POST", "/v1/email/send", { key, body: anEmail })).status).toBe(202);
  expect(api.world.logged.filter(({ level }) => Number(level) >= 40)).toEqual([]);
});

it("tells who dawdles over headers or body of both limits: which of them it was Node does not say", async () => {
  api = await anApi();
  const late = Object.assign(new Error("Request timeout"), { code: "ERR_HTTP_REQUEST_TIMEOUT" });
  // As Node does once a limit has passed.
  api.app.server.once("connection", (socket) => api.app.server.emit("clientError", late, socket));
  const heard = await new Promise<string>((resolve) => {
    let text = "";
    const socket = connect(api.port, "127.0.0.1", () => socket.write("GET /healthz HTTP/1.1\r\nHo"));
    socket.on("data", (bytes) => (text += String(bytes))).on("close", () => resolve(text));
  });
  expect(heard).toMatch(/^HTTP\/1\.1 408 /);
  expect(heard).toContain(
    "the request did not arrive in time: expected its headers within 10 s, and all of it within 30 s",
  );
});

it("answers what is on its way while it closes", async () => {
  api = await anApi();
  const { key } = await api.anAccount();
  let goOn = (): void => undefined;
  const held = new Promise<void>((resolve) => (goOn = resolve));
  const started = new Promise<void>((resolve) => {
    api.world.before = () => {
      resolve();
      return held;
    };
  });
  const answer = api.ask("POST", "/v1/email/send", { key, body: anEmail });
  await started;
  const closed = api.close();
  goOn();
  expect((await answer).status).toBe(202);
  await closed;
});
