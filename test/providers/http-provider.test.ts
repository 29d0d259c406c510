import { afterEach, describe, expect, it } from "@jest/globals";
import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { loadHttpProviders } from "../../config/http-providers.ts";
import type { HttpService } from "../../src/domain/http-service.ts";
import { seconds } from "../../src/domain/time.ts";
import { httpProvider, type HttpOptions } from "../../src/providers/http.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { DIALECT_SCRIPTS } from "../client/dialect-scripts.ts";
import { type Recorded, recordedServer } from "../client/recorded.ts";
import { scratchDirectory } from "../start/scratch.ts";
import { answerHeard } from "../support/answer-heard.ts";
import { aCall, aMail, anSms, ID, unhurried } from "../support/dispatches.ts";
import { until } from "../support/until.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

const serving = async (script: Parameters<typeof recordedServer>[0]) => {
  const server = await recordedServer(script);
  opened.push(server);
  return server;
};

const service = (url: string, more: Partial<HttpService> = {}): HttpService => ({
  url: `${url}/v1/send?tenant=7`,
  headers: { Authorization: "Bearer hunter2" },
  body: { to: "{{to}}", from: "{{from}}", text: "{{text}}", html: "{{html}}", body: "{{body}}", say: "{{say}}" },
  secrets: [],
  providerId: ["id"],
  permanent: null,
  notTaken: [],
  idempotent: false,
  from: null,
  ...more,
});
const GOOD: Recorded = { status: 200, body: { id: "m-1" } };
const sms = (url: string, more: Partial<HttpService> = {}, options: Partial<HttpOptions> = {}) =>
  httpProvider({ channel: "sms", service: service(url, more), timeout: seconds(20), ...options });

describe("a request to a service", () => {
  it("is one POST of JSON, with the file's headers and the message's id as its key", async () => {
    const { baseUrl, asked } = await serving([GOOD]);
    expect(await sms(baseUrl).attempt(anSms(), unhurried())).toEqual({ kind: "sent", providerId: "m-1" });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      line: "POST /v1/send?tenant=7",
      headers: {
        authorization: "Bearer hunter2",
        "content-type": "application/json",
        "idempotency-key": ID,
        "user-agent": "sluice",
      },
    });
    expect(JSON.parse(asked[0]?.body ?? "")).toEqual({ to: "+9779812345678", from: "+15005550006", body: "It works." });
  });

  it("has the same key and the same bytes on every try", async () => {
    const { baseUrl, asked } = await serving(["cut", GOOD]);
    const provider = sms(baseUrl);
    await provider.attempt(anSms(), unhurried());
    await provider.attempt(anSms(), unhurried());
    expect(asked[1]?.headers["idempotency-key"]).toBe(asked[0]?.headers["idempotency-key"]);
    expect(asked[1]?.body).toBe(asked[0]?.body);
  });

  it("of a mail or a call has their words", async () => {
    const { baseUrl, asked } = await serving(() => GOOD);
    await httpProvider({ channel: "email", service: service(baseUrl), timeout: seconds(20) }).attempt(
      aMail(),
      unhurried(),
    );
    await httpProvider({ channel: "voice", service: service(baseUrl), timeout: seconds(20) }).attempt(
      aCall(),
      unhurried(),
    );
    expect(asked.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { to: "ann@example.com", from: "The Shop <shop@example.org>", text: "It works." },
      { to: "+9779812345678", from: "+15005550006", say: "It works." },
    ]);
  });

  it("cannot be bent by a message: whatever it says stays where it belongs", async () => {
    const { baseUrl, asked } = await serving(() => GOOD);
    const words = '","to":"+1900","x":"{{to}}\r\n\r\nPOST /admin HTTP/1.1\u0000\u2028é👋';
    await sms(baseUrl).attempt(anSms(undefined, words), unhurried());
    expect(asked).toHaveLength(1);
    expect(JSON.parse(asked[0]?.body ?? "")).toEqual({ to: "+9779812345678", from: "+15005550006", body: words });
  });
});

describe("an answer of a service", () => {
  it.each(Object.entries(DIALECT_SCRIPTS))(
    "that refuses as %s does closes the channel",
    async (_, { refusal, wait }) => {
      const { baseUrl } = await serving([refusal]);
      expect(await sms(baseUrl).attempt(anSms(), unhurried())).toMatchObject({
        kind: "throttled",
        about: "channel",
        retryIn: seconds(wait),
      });
    },
  );

  it("that redirects is not followed: not there, and not with our key", async () => {
    const elsewhere = await serving(() => GOOD);
    const { baseUrl } = await serving([{ status: 307, headers: { Location: `${elsewhere.baseUrl}/` } }]);
    expect(await sms(baseUrl).attempt(anSms(), unhurried())).toMatchObject({ kind: "transient", called: false });
    expect(elsewhere.asked).toHaveLength(0);
  });

  it("of ten megabytes is read no further than one", async () => {
    const { baseUrl } = await serving([{ status: 200, body: `{"x":"${"x".repeat(10_000_000)}","id":"m-1"}` }]);
    expect(await sms(baseUrl).attempt(anSms(), unhurried())).toMatchObject({ kind: "uncertain" });
  });

  it("that quotes the message, or our key, is told without them", async () => {
    const { baseUrl } = await serving([
      { status: 422, body: { message: "spam, says hunter2's filter: 'Your code is 48-XK77' (ann.smith)" } },
    ]);
    const provider = httpProvider({ channel: "email", service: service(baseUrl), timeout: seconds(20) });
    const mail = aMail("ann.smith@example.net", { text: "Your code is 48-XK77" });
    const outcome = await provider.attempt(mail, unhurried());
    expect(outcome).toMatchObject({ kind: "permanent", why: expect.stringContaining("spam, says [quoted] filter") });
    expect(JSON.stringify(outcome)).not.toMatch(/hunter2|48|XK77|ann|smith/i);
  });

  it("that quotes a secret of its body is told without it, too", async () => {
    const { baseUrl } = await serving([{ status: 401, body: { message: "no such key: k3y-of-ours for shop" } }]);
    const scratch = scratchDirectory();
    opened.push({ close: async () => scratch.remove() });
    const file = join(scratch.path, "services.yaml");
    writeFileSync(file, `sms: { url: "${baseUrl}", body: { api_key: "\${SMS_KEY}", to: "{{to}}" } }\n`);
    const { sms: read } = loadHttpProviders(file, () => "k3y-of-ours");
    const outcome = await sms(baseUrl, read).attempt(anSms(), unhurried());
    expect(outcome).toEqual({ kind: "transient", called: false, why: "HTTP 401: no such key: [quoted] for shop" });
  });

  it("whose body never ends is sent all the same, where it need not name the message", async () => {
    const endless = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"));
    });
    await new Promise<void>((listening) => endless.listen(0, "127.0.0.1", listening));
    opened.push({ close: () => new Promise((closed) => endless.close(() => closed())) });
    const baseUrl = `http://127.0.0.1:${(endless.address() as AddressInfo).port}`;
    const untilGivenUp = async (provider: Provider) => {
      const stop = new AbortController();
      const heard = answerHeard();
      const outcome = provider.attempt(anSms(), stop.signal);
      await heard;
      stop.abort();
      return outcome;
    };
    expect(await untilGivenUp(sms(baseUrl, { providerId: null }))).toEqual({ kind: "sent", providerId: "" });
    expect(await untilGivenUp(sms(baseUrl))).toMatchObject({ kind: "uncertain" });
  });

  it("with headers that came twice is read by the tighter", async () => {
    const headers = {
      "X-RateLimit-Limit": ["300", "100"],
      "X-RateLimit-Remaining": ["299", "4"],
      "X-RateLimit-Reset": "50",
    };
    const { baseUrl } = await serving([{ status: 200, headers, body: { id: "m-1" } }]);
    expect(await sms(baseUrl).attempt(anSms(), unhurried())).toEqual({
      kind: "sent",
      providerId: "m-1",
      easeFor: seconds(10),
    });
  });
});

describe("no answer of a service", () => {
  it("because nobody listens: nothing was called", async () => {
    const gone = createServer();
    await new Promise<void>((listening) => gone.listen(0, "127.0.0.1", listening));
    const { port } = gone.address() as AddressInfo;
    await new Promise((closed) => gone.close(closed));
    expect(await sms(`http://127.0.0.1:${port}`).attempt(anSms(), unhurried())).toMatchObject({
      kind: "transient",
      called: false,
    });
  });

  it("because there is no TLS where it was promised: nothing was called, and no key was shown", async () => {
    const { baseUrl, asked } = await serving([GOOD]);
    const outcome = await sms(baseUrl.replace("http:", "https:")).attempt(anSms(), unhurried());
    expect(outcome).toMatchObject({ kind: "transient", called: false });
    expect(asked).toHaveLength(0);
  });

  it("cut off or too late, it may have been sent; one that knows keys may be asked again", async () => {
    const { baseUrl } = await serving(["cut", "silent", "cut"]);
    // Time enough to be asked on a machine that is busy with other tests.
    const hurried = { timeout: seconds(2) };
    expect(await sms(baseUrl).attempt(anSms(), unhurried())).toMatchObject({ kind: "uncertain" });
    expect(await sms(baseUrl, {}, hurried).attempt(anSms(), unhurried())).toMatchObject({ kind: "uncertain" });
    expect(await sms(baseUrl, { idempotent: true }).attempt(anSms(), unhurried())).toMatchObject({ again: true });
  });

  it("because it was stopped: before the request nothing was called, after it, who knows", async () => {
    const { baseUrl, asked } = await serving(["silent"]);
    expect(await sms(baseUrl).attempt(anSms(), AbortSignal.abort())).toMatchObject({
      kind: "transient",
      called: false,
    });
    const stop = new AbortController();
    const outcome = sms(baseUrl).attempt(anSms(), stop.signal);
    await until(() => asked.length);
    stop.abort();
    expect(await outcome).toMatchObject({ kind: "uncertain" });
  });
});
