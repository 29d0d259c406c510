import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { connect } from "node:net";
import { loadPolicy } from "../../config/policies.ts";
import type { Clock } from "../../src/domain/time.ts";
import { limiterOn } from "../../src/ratelimit/limiter.ts";
import { ADMIN_KEY } from "../support/fake-services.ts";
import { textOf, anApi, errorsOf, refused, anEmail, type Api, type Answer } from "./api.ts";

let api: Api;
let key: string;
beforeAll(async () => {
  api = await anApi();
  ({ key } = await api.anAccount());
});
afterAll(() => api.close());

const email = (change: object): Promise<Answer> =>
  api.ask("POST", "/v1/email/send", { key, body: { ...anEmail, ...change } });
const raw = (text: string | Uint8Array<ArrayBuffer>, headers = {}): Promise<Answer> =>
  api.ask("POST", "/v1/email/send", { key, raw: text, headers });

const wrong = (asked: () => Promise<Answer>, field: string): Promise<Answer> =>
  refused(api, asked, 422, "invalid_request", field);

describe("bodies", () => {
  it("refuses a field that nobody knows, and says which was meant", async () => {
    const answer = await wrong(() => email({ priorty: "high" }), "priorty");
    expect(errorsOf(answer)[0]).toMatchObject({
      expected: "no such field (did you mean priority?)",
      got: `"high"`,
    });
  });

  it("tells nothing apart by how many fields nobody knows", async () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`unknown_${index}`, index]));
    const answer = await wrong(() => email(many), "unknown_0");
    expect(errorsOf(answer).length).toBeLessThanOrEqual(8);
  });

  it.each(["{", "[1,", "nul", '{"from": undefined}', "{'a': 1}", '{"a": 1} extra', "\u0000"])(
    "answers 400 to the broken JSON %j",
    (text) => refused(api, () => raw(text), 400, "malformed_request"),
  );

  it("answers 400 to what is not UTF-8", () =>
    refused(api, () => raw(Uint8Array.from([0x22, 0xff, 0xfe, 0x22])), 400, "malformed_request"));

  it.each([33, 100_000])("answers 400 to %d levels of nesting", (levels) =>
    refused(api, () => raw("[".repeat(levels) + "]".repeat(levels)), 400, "malformed_request"),
  );

  it("answers 400 to more values than any such request has, of which a bulk may have more", async () => {
    const values = `{"metadata":[${"1,".repeat(20_000)}1]}`;
    const answer = await refused(api, () => raw(values), 400, "malformed_request");
    expect(answer.body["detail"]).toBe("expected JSON of at most 15000 values");
    const bulk = await api.ask("POST", "/v1/email/send/bulk", { key, raw: `{"messages":[${values}]}` });
    expect(bulk.status).toBe(202);
  });

  it("takes 30 levels in metadata", async () => {
    let metadata: object = { end: true };
    for (let level = 0; level < 28; level++) metadata = { a: metadata };
    expect((await email({ metadata })).status).toBe(202);
  });

  it.each(['{"__proto__": {"admin": true}}', '{"constructor": {"prototype": {}}}', '{"metadata": {"__proto__": {}}}'])(
    "answers 400 to %s",
    (text) => refused(api, () => raw(text), 400, "malformed_request"),
  );

  it.each(["5", "null", "[]", '"text"'])("answers 422 to a body that is %s", (text) =>
    refused(api, () => raw(text), 422, "invalid_request"),
  );

  it("answers 400 to an empty body that says it is JSON", () => refused(api, () => raw(""), 400, "malformed_request"));

  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "application/xml",
  ])("answers 415 to %s", (type) =>
    refused(api, () => raw(JSON.stringify(anEmail), { "Content-Type": type }), 415, "unsupported_media_type"),
  );

  it("answers 415 to a compressed body", () =>
    refused(api, () => raw(JSON.stringify(anEmail), { "Content-Encoding": "gzip" }), 415, "unsupported_media_type"));

  it("answers 413 to a body over 256 KB", () =>
    refused(api, () => email({ text: "a".repeat(256 * 1_024) }), 413, "payload_too_large"));
});

describe("questions", () => {
  it.each([
    ["limit", "/v1/messages?limit=0"],
    ["limit", "/v1/messages?limit=201"],
    ["limit", "/v1/messages?limit=ten"],
    ["limit", "/v1/messages?limit=1&limit=2"],
    ["status", "/v1/messages?status=lost"],
    ["channel", "/v1/messages?channel=fax"],
    ["colour", "/v1/messages?colour=red"],
    ["cursor", "/v1/messages?cursor=nonsense"],
    ["cursor", `/v1/messages?cursor=${Buffer.from("12345678drop").toString("base64url")}`],
    ["timezone", "/v1/windows?timezone=PST"],
    ["at", "/v1/windows?at=2026-03-01T00:00:00"],
    ["from", "/v1/reports/usage?from=2026-03-01T04:29:00Z&to=2026-03-01T00:00:00Z"],
    ["from", "/v1/reports/usage?from=2025-12-01T00:00:00Z"],
    ["by", "/v1/reports/usage?by=week"],
    ["address", "/v1/suppressions?channel=email&address=nobody"],
    ["channel", "/v1/suppressions?address=ann@example.com"],
  ])("refuses a wrong %s in %s", (field, path) => wrong(() => api.ask("GET", path, { key }), field));

  it("refuses a cursor of another list", async () => {
    for (let i = 0; i < 2; i++) await api.operate("POST", "/v1/accounts", { name: "Test", timezone: "UTC" });
    const page = await api.operate("GET", "/v1/accounts?limit=1");
    const cursor = textOf(page, "next_cursor");
    expect((await api.operate("GET", `/v1/accounts?limit=1&cursor=${cursor}`)).status).toBe(200);
    await wrong(() => api.ask("GET", `/v1/messages?cursor=${cursor}`, { key }), "cursor");
  });

  it("refuses a cursor of all channels' suppressions where those of one are asked for", async () => {
    for (const [channel, address] of [
      ["email", "ann@example.com"],
      ["email", "bob@example.com"],
      ["sms", "+9779812345678"],
    ])
      await api.ask("POST", "/v1/suppressions", { key, body: { channel, address } });
    const cursor = textOf(await api.ask("GET", "/v1/suppressions?limit=1", { key }), "next_cursor");
    expect((await api.ask("GET", `/v1/suppressions?limit=1&cursor=${cursor}`, { key })).status).toBe(200);
    await wrong(() => api.ask("GET", `/v1/suppressions?channel=sms&cursor=${cursor}`, { key }), "cursor");
  });

  it.each(["/v1/messages/msg_1", "/v1/batches/bat_x", "/v1/fax/messages/msg_1", "/v1/nothing", "/v1"])(
    "answers 404 to %s",
    (path) => refused(api, () => api.ask("GET", path, { key }), 404, "not_found"),
  );

  it.each([
    ["is no JSON", "{", "application/json"],
    ["is not said to be JSON", "<a/>", "text/xml"],
    ["has more in it than a body may", `[${"{},".repeat(5000)}{}]`, "application/json"],
    ["is longer than a body may be", `"${"a".repeat(2_000_000)}"`, "application/json"],
  ])("answers 404 to a path that nobody knows, also where the body %s", (_, text, type) =>
    refused(
      api,
      () => api.ask("POST", "/v1/email/send/batch", { key, raw: text, headers: { "content-type": type } }),
      404,
      "not_found",
    ),
  );

  it("answers 400 to a path that cannot be decoded", () =>
    refused(api, () => api.ask("GET", "/v1/messages/%zz", { key }), 400, "malformed_request"));

  it("answers 404 to a parameter of 10,000 characters", () =>
    refused(api, () => api.ask("GET", `/v1/messages/${"a".repeat(10_000)}`, { key }), 404, "not_found"));
});

describe("a path that the router itself refuses", () => {
  const refusing = [
    ["that cannot be decoded", "/v1/messages/%zz", 400, "malformed_request"],
    ["of 10,000 characters", `/v1/messages/${"a".repeat(10_000)}`, 404, "not_found"],
  ] as const;
  let limited: Api;
  beforeAll(async () => {
    // Without a Redis a process counts for itself.
    const scripts = { run: () => Promise.reject(new Error("no Redis here")) };
    const clock = { now: () => 0, monotonic: () => 0 } as unknown as Clock;
    const limiter = limiterOn({ policy: loadPolicy("sluice"), scripts, clock });
    const limits = { limiter, usage: async () => [], events: async () => ({ events: [], after: "" }) };
    limited = await anApi({ limits: { ...limits, close: async () => {} } }, { trustedProxies: ["127.0.0.0/8"] });
  });
  afterAll(() => limited.close());

  it("counts against the client that a proxy names, and not against the proxy", async () => {
    const left = async (path: string, ip: string) =>
      (await limited.ask("GET", path, { headers: { "X-Forwarded-For": ip } })).headers.get("x-ratelimit-remaining");
    const [[, bad], [, long]] = refusing;
    expect([await left(bad, "203.0.113.1"), await left(long, "203.0.113.1")]).toEqual(["59", "58"]);
    expect([await left("/nowhere", "203.0.113.1"), await left(bad, "203.0.113.2")]).toEqual(["57", "59"]);
  });

  it.each(refusing)("%s is outside the limits for the operator", async (_what, path, status, code) => {
    const answer = await refused(limited, () => limited.operate("GET", path), status, code);
    expect(answer.headers.has("x-ratelimit-limit")).toBe(false);
  });

  it.each(refusing)(
    "%s is counted among the answers, and is held to the rules of any request",
    async (_what, path, status, _code) => {
      const before = api.world.answered.length;
      expect((await api.ask("GET", path)).status).toBe(status);
      expect(api.world.answered.slice(before)).toEqual([{ route: "unknown", method: "GET", status }]);
      const heard = await onTheWire(`GET ${path} HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n`);
      expect(heard).toContain("expected one header Host, got 2");
    },
  );
});

/** What came back on a bare socket to exactly these bytes. */
const onTheWire = (bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(api.port, "127.0.0.1", () => socket.write(bytes));
    let heard = "";
    socket.setEncoding("utf8").on("data", (text: string) => (heard += text));
    socket.on("close", () => resolve(heard)).on("error", reject);
  });

describe("what is hardly HTTP", () => {
  it("answers 400 to what is no request", async () => {
    const heard = await onTheWire("NONSENSE\r\n\r\n");
    expect(heard).toMatch(/^HTTP\/1\.1 400 /);
    expect(heard).toContain(`"code":"malformed_request"`);
  });

  it("answers what came whole before it, and first, as whatever it is", async () => {
    const body = JSON.stringify(anEmail);
    const head = `Host: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
    const before = api.world.drafts.length;
    const heard = await onTheWire(`POST /v1/email/send HTTP/1.1\r\n${head}\r\n\r\n${body}NONSENSE\r\n\r\n`);
    expect(api.world.drafts).toHaveLength(before + 1);
    expect(heard.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 202", "HTTP/1.1 400"]);
  });

  it("does not wait for the answer to what it breaks off", async () => {
    const head = `Host: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked`;
    const heard = await onTheWire(`POST /v1/email/send HTTP/1.1\r\n${head}\r\n\r\n2\r\n{}NONSENSE`);
    expect(heard.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 400"]);
  });

  it("answers 431 to headers of 20 KB", async () => {
    const heard = await onTheWire(`GET /healthz HTTP/1.1\r\nHost: x\r\nA: ${"a".repeat(20_000)}\r\n\r\n`);
    expect(heard).toMatch(/^HTTP\/1\.1 431 /);
    expect(heard).toContain(`"code":"headers_too_large"`);
  });

  it.each([
    ["no Host", "", "expected one header Host, got 0"],
    ["two Hosts", "Host: a\r\nHOST: a\r\n", "expected one header Host, got 2"],
    [
      "two Authorizations",
      "Host: a\r\nAuthorization: Bearer a\r\nauthorization: Bearer b\r\n",
      "expected one header Authorization at most, got 2",
    ],
    [
      "two Content-Types",
      "Host: a\r\nContent-Type: application/json\r\nContent-Type: text/plain\r\n",
      "expected one header Content-Type at most, got 2",
    ],
    [
      "an Expect that nobody knows",
      "Host: a\r\nExpect: something\r\n",
      'expected the header Expect to be 100-continue, got "something"',
    ],
    [
      "a body that is compressed on its way",
      "Host: a\r\nTransfer-Encoding: gzip, chunked\r\n",
      'expected the header Transfer-Encoding to be chunked, got "gzip, chunked"',
    ],
  ])("answers 400 to a request with %s as to any that is malformed", async (_what, head, detail) => {
    const heard = await onTheWire(`GET /healthz HTTP/1.1\r\n${head}Connection: close\r\n\r\n`);
    expect(heard).toMatch(/^HTTP\/1\.1 400 /);
    expect(heard).toMatch(/^content-type: application\/problem\+json/im);
    const body = JSON.parse(heard.slice(heard.indexOf("\r\n\r\n"))) as Readonly<Record<string, unknown>>;
    expect(body).toMatchObject({ status: 400, code: "malformed_request", detail });
    expect(/^x-request-id: (.*)$/im.exec(heard)?.[1]).toBe(body["request_id"]);
  });

  it.each([
    ["HTTP/1.0 without a Host", "GET /healthz HTTP/1.0\r\nExpect: something\r\n"],
    ["an Expect that is known", "GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nConnection: close\r\n"],
  ])("answers %s", async (_what, head) => {
    expect(await onTheWire(`${head}\r\n`)).toMatch(/^HTTP\/1\.1 (?:200 |100 Continue\r\n\r\nHTTP\/1\.1 200 )/);
  });

  it.each([
    "//v1/accounts",
    "/v1/accounts;x",
    "/v1/%61ccounts",
    "http://other.example/v1/accounts",
    "/v1//accounts",
    "/V1/accounts",
  ])("does not let anybody without a key list accounts by asking for %s", async (target) => {
    const heard = await onTheWire(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
    expect(heard).toMatch(/^HTTP\/1\.1 (?:401|404|400) /);
    expect(heard).not.toContain(`"items"`);
  });
});

it("never puts a stack trace, a path or a key into an answer", async () => {
  const answers = [await raw("{"), await email({ to: 5 }), await api.ask("GET", "/v1/nothing", { key: ADMIN_KEY })];
  for (const { text } of answers) expect(text).not.toMatch(/node_modules|\.ts:\d|at Object|sk_|admin-key/);
});
