import { describe, expect, it } from "@jest/globals";
import { clientAddress } from "../../src/ratelimit/client-address.ts";
import type { Facts } from "../../src/ratelimit/caller.ts";
import type { Policy } from "../../src/ratelimit/policy.ts";
import { readPolicy } from "../../src/ratelimit/policy-reading.ts";
import { ruleFinder } from "../../src/ratelimit/rules-for.ts";

const policy = (layers: unknown): Policy => readPolicy("p", { dialect: "d", default_plan: "free", layers }, ["d"], []);
const rule = (...routes: string[]) => ({ routes, limits: { minute: 5 } });

describe("of a layer's rules", () => {
  const one = policy({
    all: {
      key: ["account|ip"],
      kind: "rolling",
      rules: {
        exact: rule("POST /v1/email/send"),
        "exact-any": rule("/v1/email/send"),
        below: rule("/v1/email/*"),
        parameter: rule("GET /v1/:channel/messages/:id"),
        sms: rule("GET /v1/sms/messages/:id"),
        aggregate: rule("GET /data?query=aggregate"),
        data: rule("GET /data"),
        "any-get": rule("GET *"),
        rest: rule("*"),
      },
    },
  });
  const find = (method: string, route: string | null, query?: unknown) =>
    ruleFinder(one)({ method, route, query, facts: { ip: "192.0.2.1" } }).map((found) => found.rule);

  it.each<[string, string | null, unknown, string]>([
    ["POST", "/v1/email/send", undefined, "exact"],
    ["PUT", "/v1/email/send", undefined, "exact-any"],
    ["POST", "/v1/email/send/bulk", undefined, "below"],
    ["POST", "/v1/email", undefined, "below"],
    ["GET", "/v1/email", undefined, "below"],
    ["GET", "/v1/whatsapp/messages/:id", undefined, "parameter"],
    ["GET", "/v1/:channel/messages/:id", undefined, "parameter"],
    ["HEAD", "/v1/:channel/messages/:id", undefined, "parameter"],
    ["GET", "/v1/sms/messages/:id", undefined, "sms"],
    // `/v1/email/*` is the more literal of the two.
    ["GET", "/v1/email/messages/:id", undefined, "below"],
    ["GET", "/data", { query: "aggregate" }, "aggregate"],
    ["GET", "/data", { query: ["count", "aggregate"] }, "aggregate"],
    ["GET", "/data", { query: "Aggregate" }, "data"],
    ["GET", "/data", undefined, "data"],
    ["HEAD", "/data", { query: "aggregate" }, "aggregate"],
    ["GET", "/DATA/", {}, "data"],
    ["GET", null, undefined, "any-get"],
    ["POST", null, undefined, "rest"],
    ["OPTIONS", "/data", undefined, "rest"],
  ])("%s %s %j is under the most specific: %s", (method, route, query, expected) => {
    expect(find(method, route, query)).toEqual([expected]);
  });
});

describe("a caller", () => {
  const by = (...key: string[]) => policy({ all: { key, kind: "fixed", rules: { r: rule("POST /x/:thing", "*") } } });
  const nameOf = (key: string[], facts: Facts, more: object = {}) =>
    ruleFinder(by(...key))({ method: "POST", route: "/x/:thing", facts, ...more })[0]
      ?.name.split(":")
      .slice(3)
      .join(":");

  it("is known by the first that is known, and never taken for another", () => {
    expect(nameOf(["account|ip"], { account: "acc_1", ip: "192.0.2.1" })).toBe("account=acc_1");
    expect(nameOf(["account|ip"], { account: "", ip: "192.0.2.1" })).toBe("ip=192.0.2.1");
    expect(nameOf(["account|ip"], { account: "ip=192.0.2.1" })).toMatch(/^account=#/);
    expect(nameOf(["profile", "device"], { profile: "p", device: "d" })).toBe("profile=p,device=d");
    expect(nameOf(["profile", "device"], { profile: "p,device=d", device: "", ip: "192.0.2.1" })).toMatch(
      /^profile=#.{22},ip=192\.0\.2\.1$/,
    );
  });

  it("of whom nothing is known shares one bucket with all such", () => {
    expect(nameOf(["account"], {})).toBe("nobody");
  });

  it("shows nothing of a body in the name, and nothing of any length", () => {
    const name = nameOf(["body.email"], {}, { body: { email: "a@example.org" } });
    expect(name).toMatch(/^email=#[\w-]{22}$/);
    expect(nameOf(["body.email"], {}, { body: { email: "A@EXAMPLE.ORG " } })).toBe(name);
    expect(nameOf(["body.email"], {}, { body: { email: "b@example.org" } })).not.toBe(name);
    expect(nameOf(["user"], { user: "x".repeat(100_000) })?.length).toBeLessThan(40);
    for (const body of [
      null,
      [],
      "text",
      { email: {} },
      { email: "" },
      { email: null },
      JSON.parse(`{"__proto__":{"email":"x"}}`),
    ])
      expect(nameOf(["body.email"], { ip: "192.0.2.1" }, { body })).toBe("ip=192.0.2.1");
    expect(nameOf(["body.n"], {}, { body: { n: 5 } })).toBe(nameOf(["body.n"], {}, { body: { n: "5" } }));
  });

  it("may be a part of the path", () => {
    expect(nameOf(["path.thing"], {}, { params: { thing: "a" } })).not.toBe(
      nameOf(["path.thing"], {}, { params: { thing: "A" } }),
    );
  });

  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["192.0.2.1:443", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
    ["[::ffff:192.0.2.1]:80", "192.0.2.1"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:0DB8:0:0:ffff::", "2001:db8:0:0::/64"],
    ["[2001:db8::1]:443", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4::/64"],
    ["64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
    ["", "unreadable"],
    ["1.2.3", "unreadable"],
    ["1:2:3:4:5:6:7:8:9", "unreadable"],
  ])("at %s is %s", (ip, client) => {
    expect(clientAddress(ip)).toBe(client);
  });
});

describe("limits of a caller's own", () => {
  const layered = policy({
    one: {
      key: ["account"],
      kind: "rolling",
      own: { rule: "own", key: ["key"], kind: "rolling" },
      rules: { table: rule("*"), door: { ...rule("POST /door"), overridable: false } },
    },
    two: { own: { rule: "ceiling", key: ["account"], kind: "rolling", windows: ["day"] } },
  });
  const asked = (facts: Facts, route = "/x") =>
    ruleFinder(layered)({ method: "POST", route, facts }).map(({ rule: name, windows }) => [
      name,
      ...windows.map(({ limit }) => limit),
    ]);

  it.each([0, -1, 1.5, Number.NaN, Infinity])("are a mistake at %d, and no way around all limits", (minute) => {
    expect(() => asked({ own: { one: { minute } } })).toThrow(`whole numbers of requests from 1, got ${minute}`);
  });

  it("take the place of the rules that may be overridden, in their layer", () => {
    expect(asked({ account: "a" })).toEqual([["table", 5]]);
    expect(asked({ own: { one: { minute: 9 } } })).toEqual([["own", 9, null]]);
    expect(asked({ own: { one: { minute: 9 } } }, "/door")).toEqual([["door", 5]]);
    expect(asked({ own: { two: { day: 9 } } })).toEqual([
      ["table", 5],
      ["ceiling", 9],
    ]);
    expect(asked({ own: { one: { day: 9 } } })).toEqual([["own", null, null, 9]]);
  });

  it("are found once for facts that are frozen, and anew for those that may change", () => {
    const find = ruleFinder(layered);
    const at = (facts: Facts, route = "/x") => find({ method: "POST", route, facts });
    const frozen = Object.freeze({ key: "k", own: { one: { minute: 9 } } });
    expect(at(frozen)).toBe(at(frozen));
    expect(at(frozen, "/door")).not.toEqual(at(frozen));
    expect(at(Object.freeze({ ...frozen, key: "l" }))).not.toEqual(at(frozen));
    const facts = { key: "k", own: { one: { minute: 9 } } };
    at(facts);
    facts.own = { one: { minute: 1 } };
    expect(at(facts)[0]?.windows[0]?.limit).toBe(1);
  });

  it("are none where none is stated", () => {
    for (const own of [null, {}, { one: null }, { one: {} }, { one: { minute: null } }])
      expect(asked({ own })).toEqual([["table", 5]]);
  });
});

describe("a plan", () => {
  const byPlan = policy({
    all: {
      key: ["ip"],
      kind: "fixed",
      rules: {
        r: { routes: ["*"], limits: { minute: { free: 1, big: 9, endless: null }, hour: { free: 7, endless: null } } },
      },
    },
  });
  const limits = (plan?: string | null) =>
    ruleFinder(byPlan)({ method: "GET", route: "/", facts: { plan: plan ?? null } }).flatMap(({ windows }) =>
      windows.map(({ limit }) => limit),
    );

  it("that is not named falls to the default, window by window; no limit at all asks nothing", () => {
    expect([
      limits("free"),
      limits("big"),
      limits("unknown"),
      limits("constructor"),
      limits(),
      limits("endless"),
    ]).toEqual([[1, 7], [9, 7], [1, 7], [1, 7], [1, 7], []]);
  });
});

describe("actions", () => {
  const actions = policy({
    all: {
      key: ["ip"],
      kind: "fixed",
      rules: { publish: { actions: ["publish"], limits: { minute: 5 } }, rest: rule("*"), get: rule("GET *") },
    },
  });

  it("are limited by name, and as everything else is when no rule names them", () => {
    const find = ruleFinder(actions);
    expect(find({ action: "publish", facts: {} }).map((one) => one.rule)).toEqual(["publish"]);
    expect(find({ action: "dance", facts: {} }).map((one) => one.rule)).toEqual(["rest"]);
    expect(find({ method: "POST", route: "publish", facts: {} }).map((one) => one.rule)).toEqual(["rest"]);
  });
});
