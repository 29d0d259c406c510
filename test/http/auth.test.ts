import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { once } from "node:events";
import { connect } from "node:net";
import { until } from "../support/until.ts";
import { ADMIN_KEY } from "../support/fake-services.ts";
import { anApi, anEmail, anSms, type Api } from "./api.ts";

const open: Api[] = [];
const another = async (...asked: Parameters<typeof anApi>): Promise<Api> => {
  const api = await anApi(...asked);
  open.push(api);
  return api;
};
let api: Api;
beforeAll(async () => {
  api = await anApi();
});
afterAll(() => api.close());
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

describe("a credential", () => {
  it.each([
    ["none", {}],
    ["another scheme", { Authorization: `Basic ${btoa(`admin:${ADMIN_KEY}`)}` }],
    ["no token", { Authorization: "Bearer " }],
    ["two tokens", { Authorization: `Bearer ${ADMIN_KEY} ${ADMIN_KEY}` }],
    ["an unknown key", { Authorization: "Bearer sk_unknown" }],
    ["most of the operator's", { Authorization: `Bearer ${ADMIN_KEY.slice(0, -1)}` }],
    ["10,000 characters", { Authorization: `Bearer ${"a".repeat(10_000)}` }],
  ])("of %s is answered 401 with the scheme that is expected", async (_what, headers) => {
    const answer = await api.ask("GET", "/v1/quotas", { headers });
    expect([answer.status, answer.body["code"]]).toEqual([401, "unauthenticated"]);
    expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer realm="sluice"/);
  });

  it.each(["Basic eDp5", "sk_a_key_without_its_scheme", "Bearer a b"])(
    "in the form %j is told what the header must look like",
    async (given) => {
      const answer = await api.ask("GET", "/v1/quotas", { headers: { Authorization: given } });
      expect(answer.body["detail"]).toBe("expected a header `Authorization: Bearer <key or token>`");
    },
  );

  it("may say Bearer in any case", async () => {
    const answer = await api.ask("GET", "/v1/accounts", { headers: { Authorization: `bearer ${ADMIN_KEY}` } });
    expect(answer.status).toBe(200);
  });

  it("is not taken from the query", async () => {
    expect((await api.ask("GET", `/v1/accounts?key=${ADMIN_KEY}`)).status).toBe(401);
  });

  it("is refused as soon as it is revoked", async () => {
    const { id, key, keyId } = await api.anAccount();
    expect((await api.ask("GET", "/v1/quotas", { key })).status).toBe(200);
    expect((await api.operate("DELETE", `/v1/accounts/${id}/keys/${keyId}`)).status).toBe(204);
    expect((await api.ask("GET", "/v1/quotas", { key })).status).toBe(401);
    expect((await api.ask("POST", "/v1/email/send", { key, body: anEmail })).status).toBe(401);
  });
});

describe("a body that is long under way", () => {
  /** Headers and a part of the body; the rest when it is said so. */
  const slowly = async (on: Api, key: string) => {
    const body = JSON.stringify(anEmail);
    const looked = on.world.calls.authenticate;
    const socket = connect({ host: "127.0.0.1", port: on.port });
    socket.setEncoding("utf8");
    let heard = "";
    socket.on("data", (text: string) => (heard += text));
    const closed = once(socket, "close");
    const head = [
      "POST /v1/email/send HTTP/1.1",
      "Host: sluice.test",
      "Connection: close",
      `Authorization: Bearer ${key}`,
    ];
    const about = ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`];
    socket.write(`${[...head, ...about].join("\r\n")}\r\n\r\n${body.slice(0, 9)}`);
    await until(() => on.world.calls.authenticate > looked);
    return async (): Promise<string> => {
      socket.write(body.slice(9));
      await closed;
      return heard.slice("HTTP/1.1 ".length, "HTTP/1.1 ".length + 3);
    };
  };

  it("opens nothing for a key that was revoked meanwhile", async () => {
    const alone = await another();
    const { id, key, keyId } = await alone.anAccount();
    const rest = await slowly(alone, key);
    await alone.operate("DELETE", `/v1/accounts/${id}/keys/${keyId}`);
    alone.world.monotonic += 1_001;
    expect(await rest()).toBe("401");
    expect(alone.world.drafts).toEqual([]);
  });

  it("has its key looked at twice, and one that is there at once has not", async () => {
    const alone = await another();
    const { key } = await alone.anAccount();
    const rest = await slowly(alone, key);
    alone.world.monotonic += 1_001;
    expect(await rest()).toBe("202");
    expect(alone.world.calls.authenticate).toBe(2);
    expect((await alone.ask("POST", "/v1/email/send", { key, body: anEmail })).status).toBe(202);
    expect(alone.world.calls.authenticate).toBe(3);
  });
});

describe("another account's", () => {
  it("messages, batches and suppressions are not there", async () => {
    const mine = await api.anAccount();
    const other = await api.anAccount();
    const sent = await api.ask("POST", "/v1/email/send", { key: other.key, body: anEmail });
    const bulk = await api.ask("POST", "/v1/sms/send/bulk", { key: other.key, body: { messages: [anSms] } });
    const suppression = "/v1/suppressions?channel=sms&address=%2B9779812345678";
    await api.ask("POST", "/v1/suppressions", { key: other.key, body: { channel: "sms", address: anSms.to } });
    const theirs: [string, string][] = [
      ["GET", `/v1/messages/${sent.body["id"]}`],
      ["GET", `/v1/email/messages/${sent.body["id"]}`],
      ["DELETE", `/v1/messages/${sent.body["id"]}`],
      ["POST", `/v1/messages/${sent.body["id"]}/replay`],
      ["GET", `/v1/batches/${bulk.body["batch_id"]}`],
      ["DELETE", `/v1/batches/${bulk.body["batch_id"]}`],
      ["DELETE", suppression],
      ["GET", `/v1/quotas?account_id=${other.id}`],
      ["GET", `/v1/queues?account_id=${other.id}`],
      ["GET", `/v1/messages?account_id=${other.id}`],
    ];
    for (const [method, path] of theirs)
      expect([path, (await api.ask(method, path, { key: mine.key })).status]).toEqual([path, 404]);
    expect((await api.ask("GET", "/v1/messages", { key: mine.key })).body["items"]).toEqual([]);
    expect((await api.ask("DELETE", suppression, { key: other.key })).status).toBe(204);
  });

  it("keys cannot be seen or revoked through one's own account", async () => {
    const mine = await api.anAccount();
    const other = await api.anAccount();
    for (const method of ["GET", "DELETE"])
      expect((await api.operate(method, `/v1/accounts/${mine.id}/keys/${other.keyId}`)).status).toBe(404);
  });
});

describe("the operator", () => {
  it("names the account it looks at", async () => {
    const { id, key } = await api.anAccount({ name: "Named" });
    await api.ask("POST", "/v1/email/send", { key, body: anEmail });
    for (const path of ["/v1/quotas", "/v1/messages", "/v1/reports/usage", "/v1/windows", "/v1/suppressions"]) {
      const unnamed = await api.operate("GET", path);
      expect([path, unnamed.status, unnamed.body["errors"]]).toMatchObject([
        path,
        422,
        [{ field: "account_id", got: "nothing" }],
      ]);
      expect([path, (await api.operate("GET", `${path}?account_id=${id}`)).status]).toEqual([path, 200]);
      expect([path, (await api.operate("GET", `${path}?account_id=acc_none`)).status]).toEqual([path, 404]);
    }
  });

  it("does not send: an account does", async () => {
    const answer = await api.operate("POST", "/v1/email/send", anEmail);
    expect([answer.status, answer.body["code"]]).toEqual([403, "forbidden"]);
  });

  it("is known while Redis is away, and an account's key is answered 503", async () => {
    const alone = await another();
    const { key } = await alone.anAccount();
    alone.world.trouble = new Error("Connection is closed.");
    expect((await alone.operate("POST", "/v1/channels/sms/pause")).status).toBe(200);
    expect((await alone.ask("GET", "/v1/quotas", { key })).status).toBe(503);
  });
});

describe("this machine's own pages", () => {
  const pages = ["/metrics", "/sandbox", "/sandbox/messages"];

  it("are shown to loopback, and to the operator from anywhere", async () => {
    for (const path of pages) {
      expect([path, (await api.ask("GET", path)).status]).toEqual([path, 200]);
      const forwarded = { key: ADMIN_KEY, headers: { "X-Forwarded-For": "203.0.113.9" } };
      expect([path, (await api.ask("GET", path, forwarded)).status]).toEqual([path, 200]);
    }
  });

  it.each([
    ["came through a proxy", { "X-Forwarded-For": "127.0.0.1" }],
    ["came through another kind of proxy", { Forwarded: "for=127.0.0.1" }],
    ["was led here under another name", { "X-Test-Host": "attacker.example" }],
    ["has another account's key", { Authorization: "Bearer sk_some", "X-Real-IP": "127.0.0.1" }],
  ])("are not shown to who %s", async (_what, headers) => {
    const { "X-Test-Host": host, ...others } = headers as Record<string, string>;
    for (const path of pages) {
      const status =
        host === undefined
          ? (await api.ask("GET", path, { headers: others })).status
          : (await api.app.inject({ method: "GET", url: path, headers: { host } })).statusCode;
      expect([path, status]).toEqual([path, 403]);
    }
  });

  it("are not there when nothing is pretended", async () => {
    const alone = await another({ sandbox: null });
    expect((await alone.ask("GET", "/sandbox")).status).toBe(404);
    expect((await alone.ask("GET", "/sandbox/messages")).status).toBe(404);
  });
});

describe("guesses at keys", () => {
  it("cost Redis nothing once an address has made many, and are no other address's", async () => {
    const alone = await another({}, { guessLimit: { perSecond: 1, burst: 5 }, trustedProxies: ["127.0.0.0/8"] });
    const guess = (address: string) => () =>
      alone.ask("GET", "/v1/quotas", { key: `sk_${Math.random()}`, headers: { "X-Forwarded-For": address } });
    const seen: number[] = [];
    for (let n = 0; n < 7; n++) seen.push((await guess("203.0.113.1")()).status);
    expect(seen).toEqual([401, 401, 401, 401, 401, 429, 429]);
    expect(alone.world.calls.authenticate).toBe(5);
    expect((await guess("203.0.113.1")()).headers.get("retry-after")).toBe("1");
    expect((await guess("203.0.113.2")()).status).toBe(401);
    alone.world.monotonic += 1_000;
    expect((await guess("203.0.113.1")()).status).toBe(401);
  });

  it("count where the operator's is asked for and no other", async () => {
    const alone = await another({}, { guessLimit: { perSecond: 1, burst: 3 }, trustedProxies: ["127.0.0.0/8"] });
    const guess = (path: string) =>
      alone.ask("GET", path, { key: `${ADMIN_KEY}x`, headers: { "X-Forwarded-For": "203.0.113.1" } });
    const seen: number[] = [];
    for (const path of ["/metrics", "/sandbox", "/metrics", "/metrics", "/v1/quotas"])
      seen.push((await guess(path)).status);
    expect(seen).toEqual([403, 403, 403, 429, 429]);
    expect((await alone.ask("GET", "/metrics", { key: ADMIN_KEY })).status).toBe(200);
  });
});

describe("every answer", () => {
  it("carries headers that keep a browser from misusing it, and no leave for other origins", async () => {
    const answers = [
      await api.ask("GET", "/healthz", { headers: { Origin: "https://other.example" } }),
      await api.ask("GET", "/nothing"),
      await api.ask("GET", "/v1/%zz"),
      await api.operate("GET", "/v1/accounts"),
    ];
    for (const { headers } of answers) {
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("x-frame-options")).toBe("DENY");
      expect(headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("access-control-allow-origin")).toBeNull();
    }
    expect((await api.ask("OPTIONS", "/v1/accounts", { headers: { Origin: "https://other.example" } })).status).toBe(
      404,
    );
  });

  it("takes over a caller's request id when it is harmless, and makes one otherwise", async () => {
    const idFor = async (given: string): Promise<string | null> =>
      (await api.ask("GET", "/healthz", { headers: { "X-Request-Id": given } })).headers.get("x-request-id");
    expect(await idFor("trace-1.2_3")).toBe("trace-1.2_3");
    for (const given of ["a b", "<script>", "a".repeat(65), `{"a":1}`])
      expect(await idFor(given)).toMatch(/^req_[0-9a-f]{24}$/);
  });
});
