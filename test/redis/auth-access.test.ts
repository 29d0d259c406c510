/** Access tokens: whose they are, for how long they hold, and everything that is none. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { CompactSign, decodeJwt, decodeProtectedHeader } from "jose";
import { keysOf } from "../../src/redis/keys.ts";
import { ADMIN_KEY } from "../support/fake-services.ts";
import { anIdentity, aKeyOf, composeIdentity, type Identity } from "../support/identity.ts";
import { textOf, type Answer } from "../http/api.ts";
import { until } from "../support/until.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let api: Identity;
let account: string;
let key: string;
let keyId: string;
beforeAll(async () => {
  api = await anIdentity();
});
afterAll(() => api.close());
beforeEach(async () => {
  ({ id: account, key, keyId } = await api.anAccount());
});

const tokenFor = async (body?: object): Promise<string> => textOf(await api.token(key, body), "access_token");
const look = (token: string): Promise<Answer> => api.ask("GET", "/v1/messages", { key: token });
const send = (token: string): Promise<Answer> =>
  api.ask("POST", "/v1/sms/send", { key: token, body: { to: "+9779812345678", body: "x" } });

describe("an API key", () => {
  it.each([
    ["the header", () => api.token(key)],
    ["the header, with an empty body", () => api.ask("POST", "/v1/auth/token", { key, raw: "" })],
    ["the body", () => api.ask("POST", "/v1/auth/token", { body: { api_key: key } })],
  ])("is exchanged for tokens, shown in %s", async (_where, ask) => {
    const answer = await ask();
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.body).toEqual({
      access_token: expect.stringMatching(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/),
      token_type: "Bearer",
      expires_in: 900,
      refresh_token: expect.stringMatching(/^rt_[0-9A-Za-z]{91}$/),
      refresh_expires_in: 2_592_000,
      scope: "send read",
    });
    expect((await look(textOf(answer, "access_token"))).status).toBe(200);
  });

  it.each([
    ["in both places", () => api.token(key, { api_key: key }), 422, "invalid_request"],
    ["nowhere", () => api.ask("POST", "/v1/auth/token", { body: {} }), 401, "unauthenticated"],
    ["but is unknown", () => api.token(`${key.slice(0, -1)}x`), 401, "unauthenticated"],
    ["but is an access token", async () => api.token(await tokenFor()), 401, "unauthenticated"],
    ["but is the operator's", () => api.token(ADMIN_KEY), 403, "forbidden"],
    ["with a scope that is none", () => api.token(key, { scope: "send all" }), 422, "invalid_request"],
    ["with a scope that it lacks", () => api.token(key, { scope: "read admin" }), 403, "insufficient_scope"],
    ["with a field nobody knows", () => api.token(key, { grant_type: "x" }), 422, "invalid_request"],
  ])("that is shown %s is answered by what is wrong", async (_what, ask, status, code) => {
    const answer = await ask();
    expect([answer.status, answer.body["code"]]).toEqual([status, code]);
    if (status === 401) expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer realm="sluice"/);
  });
});

describe("an access token", () => {
  it("says whose it is and for how long, and which secret signed it", async () => {
    const token = await tokenFor();
    expect(decodeProtectedHeader(token)).toEqual({ alg: "HS256", typ: "at+jwt", kid: expect.any(String) });
    const at = Math.floor(api.now() / 1_000);
    expect(decodeJwt(token)).toEqual({
      iss: "sluice",
      aud: "sluice-api",
      sub: keyId,
      account,
      scope: "send read",
      jti: expect.any(String),
      iat: at,
      nbf: at,
      exp: at + 900,
    });
    expect(decodeJwt(await tokenFor()).jti).not.toBe(decodeJwt(token).jti);
  });

  it("does what its key does, and narrowed, only that", async () => {
    expect((await send(await tokenFor())).status).toBe(202);
    const reads = await tokenFor({ scope: "read" });
    expect((await look(reads)).status).toBe(200);
    const refused = await send(reads);
    expect(refused.body).toMatchObject({ status: 403, code: "insufficient_scope" });
    expect(refused.body["detail"]).toBe("expected a key with the scope send, got one with read");
    expect(refused.headers.get("www-authenticate")).toBe(
      'Bearer realm="sluice", error="insufficient_scope", scope="send"',
    );
  });

  it("holds for a quarter of an hour by Redis's clock, and not a moment longer", async () => {
    await api.moveBy(1_000 - (api.now() % 1_000));
    const token = await tokenFor();
    await api.moveBy(15 * MINUTE - 1);
    expect((await look(token)).status).toBe(200);
    await api.moveBy(1);
    const expired = await look(token);
    expect([expired.status, expired.body["code"]]).toEqual([401, "invalid_token"]);
    expect(expired.headers.get("www-authenticate")).toBe('Bearer realm="sluice", error="invalid_token"');
  });

  it("dies with its key: revoked, expired, or of an account that is gone", async () => {
    const token = await tokenFor();
    await api.operate("DELETE", `/v1/accounts/${account}/keys/${keyId}`);
    expect((await look(token)).status).toBe(401);

    const brief = await aKeyOf(api, account, { expires_at: new Date(api.now() + 5 * MINUTE).toISOString() });
    const granted = await api.token(brief.key);
    expect(granted.body).toMatchObject({ expires_in: 300, refresh_expires_in: 300 });
    await api.moveBy(5 * MINUTE);
    expect((await look(textOf(granted, "access_token"))).status).toBe(401);
    expect((await api.token(brief.key)).status).toBe(401);

    const other = await api.anAccount();
    const others = textOf(await api.token(other.key), "access_token");
    expect((await look(others)).status).toBe(200);
    await api.operate("DELETE", `/v1/accounts/${other.id}`);
    expect((await look(others)).status).toBe(401);
  });

  it("may no longer what its key may no longer, from the change on", async () => {
    const token = await tokenFor();
    await api.operate("PATCH", `/v1/accounts/${account}/keys/${keyId}`, { scopes: ["read"] });
    expect((await send(token)).status).toBe(403);
    expect((await look(token)).status).toBe(200);
    await api.operate("PATCH", `/v1/accounts/${account}/keys/${keyId}`, { scopes: ["send", "read", "admin"] });
    // It was made without admin, and stays so.
    expect((await api.ask("GET", `/v1/accounts/${account}/keys`, { key: token })).status).toBe(403);
  });

  it("is looked up in one round trip", async () => {
    const token = await tokenFor();
    let asked = 0;
    const counting = { run: (...args: Parameters<typeof api.scripts.run>) => (asked++, api.scripts.run(...args)) };
    const other = composeIdentity(api.redis, counting, api.server.cell);
    await other.tokens.authenticate(token); // learns the secrets, and notes the use
    asked = 0;
    expect(await other.tokens.authenticate(token)).toMatchObject({ id: keyId, account });
    expect(asked).toBe(1);
  });
});

describe("what is no access token", () => {
  const secretOf = async (): Promise<{ kid: string; secret: Buffer }> => {
    const kept = await api.redis.hgetall(keysOf(api.server.cell).signing);
    const madeAt = ([, line]: readonly [string, string]): number => Number(line.split(" ")[0]);
    const [newest] = Object.entries(kept)
      .filter(([name]) => name !== "refresh")
      .toSorted((one, other) => madeAt(other) - madeAt(one));
    const [kid, line] = newest ?? ["", ""];
    return { kid, secret: Buffer.from(line.split(" ")[1] ?? "", "base64url") };
  };
  /** Signed with the right secret, whatever it says. */
  const forged = async (claims: object, header: object = {}): Promise<string> => {
    const good = decodeJwt(await tokenFor());
    const { kid, secret } = await secretOf();
    return new CompactSign(new TextEncoder().encode(JSON.stringify({ ...good, ...claims })))
      .setProtectedHeader({ alg: "HS256", typ: "at+jwt", kid, ...header })
      .sign(secret);
  };
  const parts = async (): Promise<[string, string, string]> =>
    (await tokenFor()).split(".") as [string, string, string];
  const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = (): number => Math.floor(api.now() / 1_000);

  it("is told by changing one that is: the same claims, signed the same way, hold", async () => {
    expect((await look(await forged({}))).status).toBe(200);
  });

  const TAKEN: readonly [string, () => Promise<string>][] = [
    ["of another issuer", () => forged({ iss: "other" })],
    ["for another audience", () => forged({ aud: "other" })],
    ["for several audiences", () => forged({ aud: ["sluice-api", "other"] })],
    ["expired", () => forged({ iat: now() - 900, nbf: now() - 900, exp: now() })],
    ["not yet good", () => forged({ nbf: now() + 60 })],
    ["without an end", () => forged({ exp: undefined })],
    ["without a beginning", () => forged({ iat: undefined })],
    ["with an end that is no number", () => forged({ exp: `${now() + 60}` })],
    ["good for longer than we sign for", () => forged({ exp: now() + 901 })],
    ["without an id", () => forged({ jti: undefined })],
    ["of a key that is not there", () => forged({ sub: "key_00000000000000000000000000" })],
    ["of a key that is no id", () => forged({ sub: { id: keyId } })],
    ["of another account than its key's", () => forged({ account: "acc_00000000000000000000000000" })],
    ["of another kind", () => forged({}, { typ: "JWT" })],
    ["signed by another algorithm with our secret", () => forged({}, { alg: "HS512" })],
    ["with an unknown extension that must be understood", () => forged({}, { crit: ["x"], x: 1 }).catch(() => "a.b.c")],
    ["signed with a secret that nobody knows", () => forged({}, { kid: "other" })],
    ["signed with none", () => forged({}, { kid: undefined })],
    ["with a kid out of a prototype", () => forged({}, { kid: "__proto__" })],
    ["with the kid of what is no signing secret", () => forged({}, { kid: "refresh" })],
    [
      "unsigned, and says so",
      async () => {
        const [header, payload] = await parts();
        const { kid } = JSON.parse(Buffer.from(header, "base64url").toString()) as { kid: string };
        return `${encoded({ alg: "none", typ: "at+jwt", kid })}.${payload}.`;
      },
    ],
    [
      "unsigned, and says otherwise",
      async () => {
        const [header, payload] = await parts();
        return `${header}.${payload}.`;
      },
    ],
    [
      "with another payload",
      async () => {
        const [header, payload, signature] = await parts();
        const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as object;
        return `${header}.${encoded({ ...claims, scope: "send read admin" })}.${signature}`;
      },
    ],
    [
      "with another signature",
      async () => {
        const [header, payload, signature] = await parts();
        return `${header}.${payload}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
      },
    ],
    ["of a payload that is no object", async () => `${(await parts())[0]}.${encoded(null)}.${(await parts())[2]}`],
    ["of three parts of nothing", async () => "x.."],
    ["of three parts of anything", async () => "eyJhbGciOiJub25lIn0.e30.x"],
  ];

  it.each(TAKEN)("is one %s", async (_what, make) => {
    const token = await make();
    for (const answer of [await look(token), await send(token)])
      expect([answer.status, answer.body["code"]]).toEqual([401, "invalid_token"]);
  });

  it("is a refresh token, and the other way round", async () => {
    const granted = await api.token(key);
    expect((await look(textOf(granted, "refresh_token"))).status).toBe(401);
    const body = { refresh_token: textOf(granted, "access_token") };
    expect((await api.ask("POST", "/v1/auth/refresh", { body })).body["code"]).toBe("invalid_token");
  });

  it("makes this process ask Redis for its secret once a second at most", async () => {
    const token = await forged({}, { kid: "unknown" });
    let asked = 0;
    const counting = { run: (...args: Parameters<typeof api.scripts.run>) => (asked++, api.scripts.run(...args)) };
    const { tokens } = composeIdentity(api.redis, counting, api.server.cell);
    for (let guess = 0; guess < 50; guess++) expect(await tokens.authenticate(token)).toBeNull();
    expect(asked).toBeLessThan(10);
  });
});

describe("the secret that signs", () => {
  it("is one for all processes, is replaced every day, and the one before holds until its last token has expired", async () => {
    const [one, other] = [1, 2].map(() => composeIdentity(api.redis, api.scripts, api.server.cell));
    if (!one || !other) throw new Error("no processes");
    const kidOf = (token: string) => decodeProtectedHeader(token).kid;
    const fresh = async (process: typeof one) => (await process.tokens.exchange(key, null)).accessToken;
    const [first, second] = await Promise.all([fresh(one), fresh(other)]);
    expect(kidOf(first)).toBe(kidOf(second));
    expect(await other.tokens.authenticate(first)).toMatchObject({ id: keyId });

    // Almost a day after the secret was made, whenever that was.
    await api.moveBy(24 * HOUR);
    const before = await fresh(one);
    await api.moveBy(24 * HOUR - 5 * MINUTE);
    const last = await fresh(one);
    expect(kidOf(last)).toBe(kidOf(before));
    await api.moveBy(10 * MINUTE);
    const after = await fresh(other);
    expect(kidOf(after)).not.toBe(kidOf(last));
    for (const process of [one, other])
      for (const token of [last, after]) expect(await process.tokens.authenticate(token)).toMatchObject({ id: keyId });
  });

  it("is worth nothing to who stole it once another is used: not even for a token that would still be good", async () => {
    const stale = composeIdentity(api.redis, api.scripts, api.server.cell);
    const stolen = await api.redis.hgetall(keysOf(api.server.cell).signing);
    const token = (await stale.tokens.exchange(key, null)).accessToken;
    const kid = String(decodeProtectedHeader(token).kid);
    const secret = Buffer.from(stolen[kid]?.split(" ")[1] ?? "", "base64url");
    await api.moveBy(24 * HOUR);
    expect((await look(await tokenFor())).status).toBe(200);
    await api.moveBy(20 * MINUTE);
    const at = Math.floor(api.now() / 1_000);
    const minted = await new CompactSign(
      new TextEncoder().encode(JSON.stringify({ ...decodeJwt(token), iat: at, nbf: at, exp: at + 900 })),
    )
      .setProtectedHeader({ alg: "HS256", typ: "at+jwt", kid })
      .sign(secret);
    expect((await look(minted)).status).toBe(401);
    // Also by a process that has used it and nothing since.
    expect(await stale.tokens.authenticate(minted)).toBeNull();
  });

  it("is one of two at most: the others are not kept", async () => {
    for (let day = 0; day < 4; day++) {
      await api.moveBy(24 * HOUR);
      await tokenFor();
    }
    const kept = Object.keys(await api.redis.hgetall(keysOf(api.server.cell).signing));
    expect(kept).toContain("refresh");
    expect(kept).toHaveLength(3);
  });

  it("stands in no log, and no token does", async () => {
    const granted = await api.token(key);
    await look(textOf(granted, "access_token"));
    await look(`${textOf(granted, "access_token")}x`);
    const kept = await api.redis.hgetall(keysOf(api.server.cell).signing);
    const secrets = Object.values(kept).map((line) => line.split(" ").at(-1) ?? "");
    const logged = JSON.stringify(api.world.logged);
    expect(api.world.logged.length).toBeGreaterThan(0);
    for (const secret of [...secrets, textOf(granted, "access_token"), textOf(granted, "refresh_token"), key])
      expect(logged).not.toContain(secret);
  });
});

describe("an access token that has expired", () => {
  it("is no use of its key", async () => {
    const lastUsed = async (of: string, id: string) => (await api.identity.keys.get(of, id))?.lastUsedAt ?? null;
    const token = await tokenFor();
    await look(token);
    await until(async () => (await lastUsed(account, keyId)) !== null);
    const before = await lastUsed(account, keyId);
    await api.moveBy(HOUR);
    expect((await look(token)).status).toBe(401);
    // What is noted goes by one connection, in order: where another's use stands, this one's would.
    const other = await api.anAccount();
    expect((await api.ask("GET", "/v1/messages", { key: other.key })).status).toBe(200);
    await until(async () => (await lastUsed(other.id, other.keyId)) !== null);
    expect(await lastUsed(account, keyId)).toBe(before);
  });
});
