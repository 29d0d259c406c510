/** Refresh tokens: single use, a lost answer given again, and a stolen one that ends its family. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { familyIn, firstRefreshText, refreshDigest, successorOf } from "../../src/accounts/refresh-text.ts";
import { beginFamily } from "../../src/redis/scripts/auth-begin.ts";
import { milliseconds } from "../../src/domain/time.ts";
import { keysOf } from "../../src/redis/keys.ts";
import { anIdentity, aKeyOf, type Identity } from "../support/identity.ts";
import { textOf, type Answer } from "../http/api.ts";

const SECOND = 1_000;
const DAY = 86_400_000;

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

const refresh = (refresh_token: string): Promise<Answer> =>
  api.ask("POST", "/v1/auth/refresh", { body: { refresh_token } });
const tokenIn = (answer: Answer): string => textOf(answer, "refresh_token");
const first = async (body?: object): Promise<string> => tokenIn(await api.token(key, body));
const look = async (answer: Answer): Promise<number> =>
  (await api.ask("GET", "/v1/messages", { key: textOf(answer, "access_token") })).status;
const codeOf = (answer: Answer): unknown[] => [answer.status, answer.body["code"]];

describe("a refresh token", () => {
  it("is spent for new tokens, again and again, with the scopes it began with", async () => {
    let token = await first({ scope: "read" });
    const seen = new Set([token]);
    for (let time = 0; time < 3; time++) {
      await api.moveBy(14 * 60 * SECOND);
      const answer = await refresh(token);
      expect(answer.body).toMatchObject({ expires_in: 900, refresh_expires_in: 2_592_000, scope: "read" });
      expect(await look(answer)).toBe(200);
      token = tokenIn(answer);
      seen.add(token);
    }
    expect(seen.size).toBe(4);
  });

  it("whose answer was lost is answered with the same successor for ten seconds", async () => {
    const token = await first();
    const answer = await refresh(token);
    await api.moveBy(10 * SECOND);
    const again = await refresh(token);
    expect(again.status).toBe(200);
    expect(tokenIn(again)).toBe(tokenIn(answer));
    expect(await look(again)).toBe(200);
    expect(again.body["refresh_expires_in"]).toBe(2_592_000 - 10);
    expect((await refresh(tokenIn(again))).status).toBe(200);
  });

  it("that comes again after that was stolen: none of its family holds any longer, and every other does", async () => {
    const other = await first();
    const token = await first();
    const successor = tokenIn(await refresh(token));
    await api.moveBy(10 * SECOND + 1);
    const replayed = await refresh(token);
    expect(codeOf(replayed)).toEqual([401, "token_reused"]);
    expect(replayed.headers.get("www-authenticate")).toBe('Bearer realm="sluice", error="invalid_token"');
    expect(codeOf(await refresh(successor))).toEqual([401, "token_reused"]);
    expect((await refresh(other)).status).toBe(200);
    expect((await api.token(key)).status).toBe(200);
  });

  it("of long ago is found to be stolen too, though nothing is kept of it", async () => {
    const oldest = await first();
    let token = oldest;
    for (let time = 0; time < 5; time++) {
      await api.moveBy(60 * SECOND);
      token = tokenIn(await refresh(token));
    }
    expect(codeOf(await refresh(oldest))).toEqual([401, "token_reused"]);
    expect(codeOf(await refresh(token))).toEqual([401, "token_reused"]);
  });

  it("sent ten times at once gets ten times the same, and locks nobody out", async () => {
    const token = await first();
    const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(token)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    const successors = new Set(answers.map(tokenIn));
    expect(successors.size).toBe(1);
    for (const answer of answers) expect(await look(answer)).toBe(200);
    expect((await refresh([...successors][0] ?? "")).status).toBe(200);
  });

  it("that comes late, its successor spent already, gets nothing within the grace and ends nothing", async () => {
    const token = await first();
    const successor = tokenIn(await refresh(token));
    const next = tokenIn(await refresh(successor));
    expect(codeOf(await refresh(token))).toEqual([401, "invalid_token"]);
    expect((await refresh(next)).status).toBe(200);
  });

  it("expires thirty days after it was handed out, and is as good as new when it was used", async () => {
    let token = await first();
    for (let time = 0; time < 3; time++) {
      await api.moveBy(30 * DAY - 1);
      const answer = await refresh(token);
      expect(answer.status).toBe(200);
      token = tokenIn(answer);
    }
    await api.moveBy(30 * DAY);
    expect(codeOf(await refresh(token))).toEqual([401, "invalid_token"]);
  });

  it("dies with its key, and may no longer what its key may no longer", async () => {
    const token = await first();
    await api.operate("PATCH", `/v1/accounts/${account}/keys/${keyId}`, { scopes: ["read"] });
    const narrowed = await refresh(token);
    expect(narrowed.body["scope"]).toBe("read");
    await api.operate("DELETE", `/v1/accounts/${account}/keys/${keyId}`);
    expect(codeOf(await refresh(tokenIn(narrowed)))).toEqual([401, "invalid_token"]);
  });

  it("never outlives its key", async () => {
    const brief = await aKeyOf(api, account, { expires_at: new Date(api.now() + DAY).toISOString() });
    const answer = await refresh(tokenIn(await api.token(brief.key)));
    expect(answer.body["refresh_expires_in"]).toBe(86_400);
  });

  it("is kept as a digest and nothing else, and so are its successors", async () => {
    const answer = await api.token(key);
    const token = tokenIn(answer);
    const successor = tokenIn(await refresh(token));
    const kept = await api.everything();
    expect(kept).toContain(refreshDigest(successor));
    const body = (text: string): string => text.slice("rt_".length + 26);
    for (const text of [token, successor]) {
      expect(kept).not.toContain(body(text));
      expect(kept).not.toContain(body(text).slice(0, 43));
    }
    expect(kept).not.toContain(textOf(answer, "access_token"));
  });

  it("leaves Redis by itself", async () => {
    const { tokenFamily, signing } = keysOf(api.server.cell);
    const token = await first();
    const secret = Buffer.from((await api.redis.hget(signing, "refresh")) ?? "", "base64url");
    const left = await api.redis.pttl(tokenFamily(familyIn(secret, token) ?? ""));
    expect(left).toBeGreaterThan(29 * DAY);
    expect(left).toBeLessThanOrEqual(30 * DAY);
  });
});

describe("what is no refresh token", () => {
  it.each([
    ["nothing like one", () => "rt_x"],
    ["an API key", () => key],
    ["made up", () => firstRefreshText(Buffer.alloc(32), "fam_01KJKTG8Q0HYWTKMCWN9100000")],
    ["255 characters", () => "x".repeat(255)],
  ])("is %s", async (_what, make) => {
    expect(codeOf(await refresh(make()))).toEqual([401, "invalid_token"]);
  });

  it("is made up for a family that is there: it is refused, and the family lives on", async () => {
    const token = await first();
    await api.moveBy(60 * SECOND);
    const last = token.at(-1) === "7" ? "8" : "7";
    for (const text of [
      token.slice(0, -1) + last,
      token.slice(0, 29) + (token[29] === "7" ? "8" : "7") + token.slice(30),
      successorOf(Buffer.alloc(32), familyIn(Buffer.alloc(32), token) ?? "fam_01KJKTG8Q0HYWTKMCWN9100000", token),
    ])
      expect(codeOf(await refresh(text))).toEqual([401, "invalid_token"]);
    expect((await refresh(token)).status).toBe(200);
  });

  it.each([[{}], [{ refresh_token: 5 }], [{ refresh_token: "x".repeat(2_049) }], [{ refresh_token: "x", key: "y" }]])(
    "is %j",
    async (body) => {
      expect((await api.ask("POST", "/v1/auth/refresh", { body })).status).toBe(422);
    },
  );
});

it("of a key there are so many families: the oldest goes", async () => {
  const { redis, scripts, server } = api;
  const family = (id: string) => ({ id, key: "key_x", scopes: "send", digest: id, length: milliseconds(DAY), most: 2 });
  for (const id of ["fam_1", "fam_2", "fam_3"]) {
    await api.moveBy(1);
    await beginFamily(scripts, family(id));
  }
  const { tokenFamily } = keysOf(server.cell);
  const there = await Promise.all(["fam_1", "fam_2", "fam_3"].map((id) => redis.exists(tokenFamily(id))));
  expect(there).toEqual([0, 1, 1]);
});
