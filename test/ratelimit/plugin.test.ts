import { once } from "node:events";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { afterEach, describe, expect, it } from "@jest/globals";
import type { Command } from "ioredis";
import { loadPolicy } from "../../config/policies.ts";
import { systemClock } from "../../src/domain/time.ts";
import type { Facts } from "../../src/ratelimit/caller.ts";
import { clientAddress } from "../../src/ratelimit/client-address.ts";
import { DIALECTS } from "../../src/ratelimit/dialects/by-name.ts";
import { limiterOn } from "../../src/ratelimit/limiter.ts";
import { rateLimit } from "../../src/ratelimit/plugin.ts";
import { scriptRunner } from "../../src/redis/script.ts";
import { admit } from "../../src/redis/scripts/admit.ts";
import { until } from "../support/until.ts";
import { onTheWire } from "../security/wire.ts";
import { limitStages } from "./stage.ts";
import { aPolicy, stubApp, type StubApp } from "./stub-app.ts";
import { IPTO, MIGOSMTP, SLUICE, TAGOIO, TELNXO, type Row } from "./tables.ts";

const aStage = limitStages();
const opened: StubApp[] = [];
afterEach(async () => {
  for (const stub of opened.splice(0)) await stub.close();
});

type Options = Omit<Parameters<typeof stubApp>[0], "limiter">;
const stubOn = async (
  policy: Parameters<Awaited<ReturnType<typeof aStage>>["limiter"]>[0]["policy"],
  options: Options,
) => {
  const stage = await aStage();
  const stub = await stubApp({ ...options, limiter: stage.limiter({ policy }) });
  opened.push(stub);
  return { ...stub, stage };
};

/** `:id` and the like, filled in. */
const concrete = (route: string): string => route.replace(/:\w+/g, "x1");

describe("routes, as Fastify serves them,", () => {
  const byRoute = (policy: string, rows: readonly Row[]) => [policy, rows] as const;
  const tago = TAGOIO.filter(([what]) => what.includes(" ")).map(([what, limit]): Row => {
    const [method = "", path = ""] = what.split(" ");
    const [route = "", query] = path.split("?");
    return {
      what,
      method,
      route,
      rule: "",
      limit,
      per: 60_000 as Row["per"],
      ...(query ? { query: { query: "aggregate" } } : {}),
    };
  });
  it.each([
    byRoute("migosmtp", MIGOSMTP),
    byRoute("telnxo", TELNXO),
    byRoute("sluice", SLUICE),
    byRoute("ipto", IPTO),
    byRoute("tagoio", tago),
  ])("are held to the rule of their own in %s", async (policy, rows) => {
    const routes = rows.map(({ method, route }) => `${method} ${route}`);
    const stub = await stubOn(loadPolicy(policy), { routes, identify: () => ({ account: "acc_1" }) });
    for (const { method, route, query, body, rule, limit } of rows) {
      const answer = await fetch(
        `${stub.base}${concrete(route)}${query ? `?${new URLSearchParams(query).toString()}` : ""}`,
        {
          method,
          ...(body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}),
        },
      );
      expect([route, answer.status]).toEqual([route, 200]);
      expect(answer.headers.get("ratelimit-policy")).toContain(`"${rule === "" ? "" : `${rule}"`}`);
      expect(answer.headers.get("ratelimit-policy")).toContain(`;q=${limit};`);
    }
  });
});

const TWO = aPolicy({
  all: {
    key: ["account|ip"],
    kind: "rolling",
    rules: { send: { routes: ["POST /send"], limits: { minute: 2 } }, other: { routes: ["*"], limits: { minute: 3 } } },
  },
});

describe("an answer", () => {
  const failing: Options = {
    routes: ["POST /send", "GET /ok"],
    after: (app) => {
      app.get("/broken", () => {
        throw new Error("ours");
      });
      app.post("/checked", { schema: { body: { type: "object", required: ["a"] } } }, () => ({}));
    },
  };

  it.each([
    ["GET", "/ok", 200],
    ["GET", "/nowhere", 404],
    ["GET", "/broken", 500],
    ["POST", "/checked", 400],
    ["HEAD", "/ok", 200],
    ["OPTIONS", "/ok", 404],
  ])("to %s %s (%i) tells how the caller stands", async (method, path, status) => {
    const { base } = await stubOn(TWO, failing);
    const answer = await fetch(base + path, { method });
    expect([
      answer.status,
      answer.headers.get("x-ratelimit-limit"),
      answer.headers.get("x-ratelimit-remaining"),
    ]).toEqual([status, "3", "2"]);
    expect(answer.headers.get("ratelimit")).toBe('"other";r=2;t=60');
    expect(answer.headers.has("retry-after")).toBe(false);
  });

  it.each(DIALECTS.map((dialect) => [dialect.name, dialect] as const))(
    "that refuses is the %s dialect's, and no handler is troubled",
    async (_, dialect) => {
      const stub = await stubOn(TWO, { ...failing, dialect });
      const send = () => fetch(`${stub.base}/send`, { method: "POST" });
      expect([(await send()).status, (await send()).status]).toEqual([200, 200]);
      const refused = await send();
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "60"]);
      expect(refused.headers.get("content-type")).toContain("json");
      expect(Number(refused.headers.get("content-length"))).toBe((await refused.clone().arrayBuffer()).byteLength);
      expect(Object.keys((await refused.json()) as object)).not.toEqual([]);
      expect(stub.served).toEqual(["POST /send", "POST /send"]);
      await stub.stage.by(60_000);
      expect((await send()).status).toBe(200);
    },
  );

  it("to a route's own schema for a 429 is left as it is", async () => {
    const stub = await stubOn(TWO, {
      routes: [],
      after: (app) => {
        app.post(
          "/send",
          { schema: { response: { 429: { type: "object", properties: { nothing: { type: "null" } } } } } },
          () => ({}),
        );
      },
    });
    for (let n = 0; n < 2; n++) await fetch(`${stub.base}/send`, { method: "POST" });
    const refused = await fetch(`${stub.base}/send`, { method: "POST" });
    expect(await refused.json()).toMatchObject({ status: 429, violated_policies: ["send"] });
  });
});

describe("a caller", () => {
  it("outside the limits is neither counted nor told of them", async () => {
    const stub = await stubOn(TWO, {
      routes: ["POST /send"],
      identify: ({ headers }) => (headers["x-operator"] ? null : {}),
    });
    for (let n = 0; n < 5; n++) {
      const answer = await fetch(`${stub.base}/send`, { method: "POST", headers: { "x-operator": "yes" } });
      expect([answer.status, answer.headers.has("x-ratelimit-limit")]).toEqual([200, false]);
    }
    expect((await fetch(`${stub.base}/send`, { method: "POST" })).headers.get("x-ratelimit-remaining")).toBe("1");
  });

  it("whom a hook before the limits turns away is counted all the same, and told 429 in the end", async () => {
    const stub = await stubOn(TWO, {
      routes: ["POST /send"],
      before: (app) => {
        app.addHook("onRequest", async (request, reply) => {
          if (request.headers.authorization) return;
          return reply.code(401).header("WWW-Authenticate", "Bearer").send({ error: "who are you?" });
        });
      },
    });
    const answers = [];
    for (let n = 0; n < 4; n++) answers.push(await fetch(`${stub.base}/send`, { method: "POST" }));
    expect(answers.map(({ status, headers }) => [status, headers.get("www-authenticate")])).toEqual([
      ...[1, 2].map(() => [401, "Bearer"]),
      ...[3, 4].map(() => [429, null]),
    ]);
  });

  it.each([
    ["new facts", (facts: Facts) => facts],
    ["facts that are frozen", (facts: Facts) => Object.freeze(facts)],
    ["an empty text for its address", (facts: Facts) => ({ ...facts, ip: "" })],
  ])("of whom nothing is known, though all of it is said, is its address: %s", async (_, made) => {
    const nothing = made({ user: undefined, ip: undefined, plan: undefined, own: undefined });
    const stub = await stubOn(TWO, { routes: ["POST /send"], identify: () => nothing });
    const from = async (remoteAddress: string) =>
      (await stub.app.inject({ method: "POST", url: "/send", remoteAddress })).statusCode;
    const one = [await from("192.0.2.1"), await from("192.0.2.1"), await from("192.0.2.1")];
    expect([one, await from("192.0.2.2")]).toEqual([[200, 200, 429], 200]);
  });

  it("whose own limit is none that can be counted is not let in", async () => {
    const policy = aPolicy({
      all: { kind: "rolling", own: { rule: "own", key: ["key|ip"], kind: "rolling", windows: ["minute"] } },
    });
    const stub = await stubOn(policy, {
      routes: ["POST /send"],
      identify: () => ({ key: "k", own: { all: { minute: 0 } } }),
    });
    expect((await fetch(`${stub.base}/send`, { method: "POST" })).status).toBe(500);
    expect(stub.served).toEqual([]);
  });

  it("who is turned away in a compressed answer can read the 429 that comes in its place", async () => {
    const stub = await stubOn(TWO, {
      routes: ["POST /send"],
      before: (app) => {
        app.addHook("onRequest", async (_request, reply) => reply.code(401).send({ error: "who are you?" }));
        app.addHook("onSend", async (_request, reply, payload) => {
          reply.header("content-encoding", "gzip");
          return gzipSync(String(payload));
        });
      },
    });
    const bodies = [];
    for (let n = 0; n < 3; n++) bodies.push(await (await fetch(`${stub.base}/send`, { method: "POST" })).json());
    expect(bodies).toMatchObject([{ error: "who are you?" }, { error: "who are you?" }, { status: 429 }]);
  });

  it("whose path the router itself refuses is counted where the application says so", async () => {
    const stage = await aStage();
    const app = Fastify({
      frameworkErrors: (error, request, reply) =>
        void refuse(error.code, request as FastifyRequest, reply as FastifyReply),
    });
    const refuse = async (code: string, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      if (!(await app.heldToLimits(request, reply))) await reply.code(400).send({ code });
    };
    await app.register(rateLimit, { limiter: stage.limiter({ policy: TWO }) });
    const base = await app.listen({ port: 0, host: "127.0.0.1" });
    const answers = [];
    for (let n = 0; n < 4; n++) answers.push(await fetch(`${base}/%zz`));
    await app.close();
    expect(answers.map(({ status, headers }) => [status, headers.get("x-ratelimit-remaining")])).toEqual([
      [400, "2"],
      [400, "1"],
      [400, "0"],
      [429, "0"],
    ]);
  });

  it("is charged once, however often the plugin is registered, and in whatever context the route lies", async () => {
    const stage = await aStage();
    const limiter = stage.limiter({ policy: TWO });
    const stub = await stubApp({
      limiter,
      routes: [],
      after: (app) => {
        void app.register(rateLimit, { limiter });
        void app.register(async (inner) => {
          await inner.register(rateLimit, { limiter });
          inner.get("/deep", () => ({}));
        });
      },
    });
    opened.push(stub);
    const remaining = [];
    for (let n = 0; n < 3; n++) remaining.push((await fetch(`${stub.base}/deep`)).headers.get("x-ratelimit-remaining"));
    expect(remaining).toEqual(["2", "1", "0"]);
  });

  it("is charged once where that was done ahead of its turn, whatever becomes of it", async () => {
    const policy = aPolicy({
      all: {
        key: ["account|ip"],
        kind: "rolling",
        rules: {
          link: { routes: ["POST /link"], key: ["body.email|ip"], limits: { minute: 1 } },
          other: { routes: ["*"], limits: { minute: 3 } },
        },
      },
    });
    const stage = await aStage();
    const facts: Facts = Object.freeze({ account: "acc_1" });
    const ahead: boolean[] = [];
    const stub = await stubApp({
      limiter: stage.limiter({ policy }),
      identify: () => facts,
      routes: ["GET /ok", "GET /no", "POST /link"],
      before: (app) =>
        void app.addHook("onRequest", async (request, reply) => {
          const held = app.limitsAhead(request, facts);
          ahead.push(held !== null);
          if (held) request.limitsTaken = { ...held, admission: await admit(stage.scripts, "take", held.rules) };
          if (request.url === "/no") return reply.code(403).send({ error: "not for you" });
          return undefined;
        }),
    });
    opened.push(stub);
    const answers: unknown[] = [];
    for (const path of ["/ok", "/no", "/ok", "/ok", "/no"]) {
      const { status, headers } = await fetch(`${stub.base}${path}`);
      answers.push([path, status, headers.get("x-ratelimit-remaining")]);
    }
    expect(answers).toEqual([
      ["/ok", 200, "2"],
      ["/no", 403, "1"],
      ["/ok", 200, "0"],
      ["/ok", 429, "0"],
      ["/no", 429, "0"],
    ]);
    expect(stub.served).toEqual(["GET /ok", "GET /ok"]);
    // What counts by the body is for its turn.
    const send = () =>
      fetch(`${stub.base}/link`, {
        method: "POST",
        body: '{"email":"a@b.c"}',
        headers: { "content-type": "application/json" },
      });
    expect([(await send()).status, (await send()).status]).toEqual([200, 429]);
    expect(ahead).toEqual([true, true, true, true, true, false, false]);
  });

  it("needs no more than a policy and a Redis to be limited", async () => {
    const stage = await aStage();
    const app = Fastify();
    await app.register(rateLimit, { policy: TWO, redis: stage.redis, cell: stage.cell });
    app.post("/send", () => ({}));
    const base = await app.listen({ port: 0, host: "127.0.0.1" });
    const statuses = [];
    for (let n = 0; n < 3; n++) statuses.push((await fetch(`${base}/send`, { method: "POST" })).status);
    await app.close();
    expect(statuses).toEqual([200, 200, 429]);
  });

  it("is counted on whatever connection can send a command, whichever release of ioredis made it", async () => {
    const stage = await aStage();
    const redis = {
      sendCommand: (command: Command) => stage.redis.sendCommand(command),
      eval: (text: string, keys: number, ...words: (string | number)[]) => stage.redis.eval(text, keys, ...words),
    };
    const limiter = limiterOn({ policy: TWO, scripts: scriptRunner(redis, stage.cell), clock: systemClock });
    const asked = { method: "POST", route: "/send", facts: { ip: "192.0.2.1" } };
    const admitted = [];
    for (let n = 0; n < 3; n++) admitted.push((await limiter.take(asked)).admitted);
    expect([admitted, limiter.state().redis]).toEqual([[true, true, false], "here"]);
  });
});

describe("a rule that counts by the body", () => {
  const BY_EMAIL = aPolicy({
    all: {
      key: ["ip"],
      kind: "fixed",
      rules: { link: { routes: ["POST /link"], key: ["body.email|ip"], limits: { hour: 2 } } },
    },
  });
  const post = (base: string, body: string, type = "application/json") =>
    fetch(`${base}/link`, { method: "POST", body, headers: { "content-type": type } }).then(({ status }) => status);

  it("counts each address by itself, and those that the schema refuses", async () => {
    const stub = await stubOn(BY_EMAIL, {
      routes: [],
      after: (app) => {
        app.post("/link", { schema: { body: { type: "object", required: ["email", "name"] } } }, () => ({}));
      },
    });
    const to = (email: string, more = {}) => post(stub.base, JSON.stringify({ email, ...more }));
    expect([await to("a@x.org", { name: "A" }), await to("a@x.org"), await to("A@X.org", { name: "A" })]).toEqual([
      200, 400, 429,
    ]);
    expect(await to("b@x.org", { name: "B" })).toBe(200);
  });

  it("counts a body that cannot be read by where it comes from", async () => {
    const stub = await stubOn(BY_EMAIL, { routes: ["POST /link"] });
    expect(await post(stub.base, "{")).toBe(400);
    expect(await post(stub.base, "<email/>", "text/xml")).toBe(415);
    expect(await post(stub.base, "{")).toBe(429);
    expect(await post(stub.base, "[]")).toBe(429);
    expect(await post(stub.base, `{"email":"a@x.org"}`)).toBe(200);
  });
});

describe("many requests", () => {
  const FIFTY = aPolicy({
    all: { key: ["ip"], kind: "rolling", rules: { all: { routes: ["*"], limits: { minute: 50 } } } },
  });

  it("in one packet get what one after the other would", async () => {
    const stub = await stubOn(FIFTY, { routes: ["GET /ok"] });
    const request = (last: boolean) => `GET /ok HTTP/1.1\r\nHost: x\r\n${last ? "Connection: close\r\n" : ""}\r\n`;
    const { heard } = await onTheWire(stub.port, [Array.from({ length: 100 }, (_, n) => request(n === 99)).join("")]);
    expect(heard.match(/HTTP\/1\.1 200 /g)).toHaveLength(50);
    expect(heard.match(/HTTP\/1\.1 429 /g)).toHaveLength(50);
    expect(stub.served).toHaveLength(50);
  });

  it("at the same time get what one after the other would", async () => {
    const stub = await stubOn(FIFTY, { routes: ["GET /ok"] });
    const statuses = await Promise.all(
      Array.from({ length: 200 }, () => fetch(`${stub.base}/ok`).then(({ status }) => status)),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(50);
    expect(statuses.filter((status) => status === 429)).toHaveLength(150);
  });

  it("of many keys stay under the ceiling of their account", async () => {
    const own = (key: string): Facts => ({
      account: "acc_1",
      key,
      own: { endpoint: { minute: 30 }, organisation: { minute: 70 } },
    });
    const stub = await stubOn(loadPolicy("sluice"), {
      routes: ["POST /v1/sms/send"],
      identify: ({ headers }) => own(String(headers.authorization)),
    });
    const statuses = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        fetch(`${stub.base}/v1/sms/send`, { method: "POST", headers: { authorization: `key_${n % 10}` } }).then(
          ({ status }) => status,
        ),
      ),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(70);
  });
});

describe("facts that come again", () => {
  const asOne = (name: string) => Object.freeze({ account: name });

  it("are counted by the query where a rule asks for it", async () => {
    const policy = aPolicy({
      all: {
        key: ["account|ip"],
        kind: "rolling",
        rules: {
          sums: { routes: ["GET /data?query=sums"], limits: { minute: 2 } },
          other: { routes: ["*"], limits: { minute: 9 } },
        },
      },
    });
    const facts = asOne("acc_query");
    const stage = await aStage();
    const stub = await stubApp({ limiter: stage.limiter({ policy }), routes: ["GET /data"], identify: () => facts });
    opened.push(stub);
    const seen: (string | undefined)[] = [];
    for (const query of ["", "?query=sums", "?query=x", "?query=sums"])
      seen.push((await fetch(`${stub.base}/data${query}`)).headers.get("ratelimit")?.split(";t")[0]);
    expect(seen).toEqual(['"other";r=8', '"sums";r=1', '"other";r=7', '"sums";r=0']);
  });

  it("are counted by the address that each request comes from", async () => {
    const policy = aPolicy({
      all: { key: ["ip"], kind: "rolling", rules: { other: { routes: ["*"], limits: { minute: 9 } } } },
    });
    const facts = asOne("acc_address");
    const stage = await aStage();
    const limiter = stage.limiter({ policy });
    const stub = await stubApp({ limiter, routes: ["GET /data"], identify: () => facts, trustProxy: "127.0.0.1" });
    opened.push(stub);
    const left: (string | null)[] = [];
    for (const from of ["203.0.113.1", "203.0.113.2", "203.0.113.1"]) {
      const { headers } = await fetch(`${stub.base}/data`, { headers: { "x-forwarded-for": from } });
      left.push(headers.get("x-ratelimit-remaining"));
    }
    expect(left).toEqual(["8", "8", "7"]);
  });
});

describe("a request whose connection is reset right behind it", () => {
  it("is its address's all the same", async () => {
    const policy = aPolicy({
      all: { key: ["ip"], kind: "rolling", rules: { other: { routes: ["*"], limits: { minute: 1_000 } } } },
    });
    const stage = await aStage();
    const limiter = stage.limiter({ policy });
    const stub = await stubApp({ limiter, routes: ["GET /data"] });
    opened.push(stub);
    const RESETS = 50;
    for (let n = 0; n < RESETS; n++) {
      const socket = connect({ host: "127.0.0.1", port: stub.port });
      await once(socket, "connect");
      socket.write("GET /data HTTP/1.1\r\nHost: sluice.test\r\n\r\n", () => socket.resetAndDestroy());
      await once(socket, "close");
    }
    // Whoever comes after them has waited for none of them: all that were read have been charged by then.
    const used = async (): Promise<number> => {
      const [standing] = (await limiter.survey({ ip: "127.0.0.1" })).standings;
      return standing ? standing.limit - standing.remaining : 0;
    };
    await until(async () => (await used()) >= stub.served.length && stub.served.length > 0);
    expect(await used()).toBeGreaterThanOrEqual(stub.served.length);
  });

  it("is one client's with all whose address nobody knows", async () => {
    const policy = aPolicy({
      all: { key: ["ip"], kind: "rolling", rules: { other: { routes: ["*"], limits: { minute: 9 } } } },
    });
    const limiter = (await aStage()).limiter({ policy });
    const before = (app: FastifyInstance): void =>
      void app.addHook("onRequest", (request, _reply, go) => {
        Object.defineProperty(request, "ip", { value: undefined });
        go();
      });
    const stub = await stubApp({ limiter, routes: ["GET /data"], before });
    opened.push(stub);
    expect((await fetch(`${stub.base}/data`)).headers.get("x-ratelimit-remaining")).toBe("8");
    expect((await limiter.survey({ ip: clientAddress(undefined) })).standings[0]?.remaining).toBe(8);
  });
});
