/** Ways around a limit that others have fallen for. Each ends in the caller's own bucket, or is refused outright. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { onTheWire } from "../security/wire.ts";
import { limitStages, type LimitStage } from "./stage.ts";
import { aPolicy, stubApp, type StubApp } from "./stub-app.ts";

const aStage = limitStages();

const POLICY = aPolicy({
  all: {
    key: ["ip"],
    kind: "rolling",
    rules: {
      read: { routes: ["GET /v1/things/:id"], limits: { minute: 2 } },
      write: { routes: ["POST /v1/things"], limits: { minute: 2 } },
      other: { routes: ["*"], limits: { minute: 2 } },
    },
  },
});

let stage: LimitStage;
let stub: StubApp;
beforeAll(async () => {
  stage = await aStage();
  // A proxy stands in front, and is the only one that is believed: not this machine, from which the requests come.
  stub = await stubApp({
    limiter: stage.limiter({ policy: POLICY }),
    routes: ["GET /v1/things/:id", "POST /v1/things"],
    trustProxy: "10.0.0.0/8",
  });
});
afterAll(() => stub.close());

const send = (method: string, target: string, headers: readonly string[] = [], body = "") =>
  onTheWire(stub.port, [
    [
      `${method} ${target} HTTP/1.1`,
      ...(headers.some((header) => /^host:/i.test(header)) ? [] : ["Host: sluice.test"]),
      "Connection: close",
      ...(body === "" && method !== "POST" ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
      ...headers,
      "",
      body,
    ].join("\r\n"),
  ]);

/** All that this address may ask is used up: what gets through now has found a bucket of its own. */
beforeEach(async () => {
  await stage.by(60_000);
  for (const [method, target] of [
    ["GET", "/v1/things/1"],
    ["POST", "/v1/things"],
    ["GET", "/nowhere"],
  ] as const)
    for (let n = 0; n < 2; n++) expect((await send(method, target)).status).not.toBe(429);
  expect((await send("GET", "/v1/things/1")).status).toBe(429);
  stub.served.length = 0;
});

const addresses = [
  "203.0.113.7",
  "203.0.113.8, 203.0.113.9",
  "127.0.0.1",
  "::1",
  "2001:db8::1",
  "unknown",
  "_hidden",
  "10.0.0.1",
];
const HEADERS = [
  "X-Forwarded-For",
  "X-Real-IP",
  "True-Client-IP",
  "CF-Connecting-IP",
  "X-Client-IP",
  "X-Originating-IP",
  "Fastly-Client-IP",
];
const forged = [
  ...HEADERS.flatMap((name) => addresses.slice(0, 5).map((address) => `${name}: ${address}`)),
  ...addresses.map((address) => `Forwarded: for="${address}"`),
  "X-Forwarded-Host: other.test",
  "X-Original-URL: /v1/other",
  "X-Rewrite-URL: /v1/other",
  "X-Forwarded-Proto: https",
  "X-Cluster-Client-IP: 203.0.113.7",
];

const targets = [
  "/v1/things/1/",
  "//v1/things/1",
  "/v1//things/1",
  "/v1/things//1",
  "///v1///things///1///",
  "/V1/things/1",
  "/v1/Things/1",
  "/V1/THINGS/1",
  "/v1/./things/1",
  "/v1/../v1/things/1",
  "/v1/%2e/things/1",
  "/v1/%2e%2e/v1/things/1",
  "/v1/%74hings/1",
  "/%761/things/1",
  "/v1/thin%67s/1",
  "/v1/things/%31",
  "/v1%2fthings/1",
  "/v1/things%2f1",
  "/v1/things/1%00",
  "/v1/things/1%20",
  "/v1/things/1;x=1",
  "/v1;x=1/things/1",
  "/v1/things;jsessionid=1/1",
  "/v1/things/1?",
  "/v1/things/1?x=1",
  "/v1/things/1?id=2&id=3",
  "/v1/things/1#fragment",
  "/v1/things/1%3fx",
  "/v1/things/1%23x",
  "/v1/things/2",
  `/v1/things/${"9".repeat(90)}`,
  "/v1/things/1.json",
  "/v1/things/1/..",
  "/v1/things/%",
  "/v1/things/%zz",
  "/v1/things/%c0%af",
  "/v1\\things\\1",
  "http://sluice.test/v1/things/1",
  "http://other.test/v1/things/1",
  "https://sluice.test:443/v1/things/1",
  "HTTP://SLUICE.TEST/v1/things/1",
  "http://user:pass@sluice.test/v1/things/1",
  "http://sluice.test//v1/things/1",
  "*",
];

const methods = [
  "HEAD",
  "OPTIONS",
  "PUT",
  "PATCH",
  "DELETE",
  "TRACE",
  "PROPFIND",
  "SEARCH",
  "LOCK",
  "MKCOL",
  "QUERY",
  "get",
];
const overrides = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"].flatMap((name) =>
  ["GET", "HEAD", "DELETE", "PATCH"].map((method) => `${name}: ${method}`),
);

const passed = ({ status }: { status: number }) => ({ status, served: stub.served.length });

describe(`${forged.length + targets.length + methods.length + overrides.length * 2 + 6} ways around a limit`, () => {
  it.each(forged)("a header that says who asks: %s", async (header) => {
    expect(passed(await send("GET", "/v1/things/1", [header]))).toEqual({ status: 429, served: 0 });
  });

  it.each(targets)("a target written otherwise: %s", async (target) => {
    const got = passed(await send("GET", target));
    expect(got.served).toBe(0);
    // 400: it has no meaning, and no route was looked for.
    expect([400, 429]).toContain(got.status);
  });

  it.each(methods)("another method: %s", async (method) => {
    const got = passed(await send(method, "/v1/things/1"));
    expect(got.served).toBe(0);
    expect([400, 429]).toContain(got.status);
  });

  it.each(overrides)("a header that says another method: %s", async (header) => {
    expect(passed(await send("GET", "/v1/things/1", [header]))).toEqual({ status: 429, served: 0 });
    expect(passed(await send("POST", "/v1/things", [header]))).toEqual({ status: 429, served: 0 });
  });

  it.each([
    ["Host: other.test"],
    ["Host: SLUICE.TEST:80"],
    ["User-Agent: another"],
    ["Accept-Version: 2.0.0"],
    ["Cookie: session=2"],
    ["Authorization: Bearer other"],
  ])("another %s", async (header) => {
    expect(passed(await send("GET", "/v1/things/1", [header]))).toEqual({ status: 429, served: 0 });
  });
});

describe("behind a proxy that is believed", () => {
  const through = async (forwarded: readonly string[]): Promise<readonly number[]> => {
    const fresh = await aStage();
    const behind = await stubApp({
      limiter: fresh.limiter({ policy: POLICY }),
      routes: ["GET /v1/things/:id"],
      trustProxy: "127.0.0.1",
    });
    const statuses = [];
    for (const address of forwarded)
      statuses.push((await fetch(`${behind.base}/v1/things/1`, { headers: { "x-forwarded-for": address } })).status);
    await behind.close();
    return statuses;
  };

  it.each([
    ["all of an IPv6 network of 64 bits", ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:0DB8:0001:0002::3"]],
    [
      "an IPv4 address, however it is written",
      ["203.0.113.7", "::ffff:203.0.113.7", "::FFFF:CB00:7107", "0:0:0:0:0:ffff:203.0.113.7"],
    ],
    ["one address, whatever its port", ["203.0.113.7:1001", "203.0.113.7:1002", "203.0.113.7"]],
    ["whatever is no address", ["nobody", "<script>", "'; --", "999.1.1.1"]],
    ["who writes something in front", ["1.1.1.1, 203.0.113.7", "2.2.2.2, 203.0.113.7", "3.3.3.3, 203.0.113.7"]],
  ])("%s is one caller", async (_, forwarded) => {
    expect(await through(forwarded)).toEqual([200, 200, ...forwarded.slice(2).map(() => 429)]);
  });

  it("the next network is another caller", async () => {
    expect(await through(["2001:db8:1:2::1", "2001:db8:1:2::1", "2001:db8:1:3::1", "203.0.113.7"])).toEqual([
      200, 200, 200, 200,
    ]);
  });
});
