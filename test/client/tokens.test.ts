import { afterEach, describe, expect, it } from "@jest/globals";
import { createClient, type ClientOptions } from "../../src/client/client.ts";
import { movedClock } from "./moved-clock.ts";
import { type Asked, type Recorded, recordedServer } from "./recorded.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

const LIFE_S = 900;

/** A server that knows the key `sk_test`, gives out numbered tokens, and lets each refresh token in once. */
const tokenServer = async (interfere: (asked: Asked) => Recorded | null = () => null) => {
  let issued = 0;
  const state = { good: new Set<string>(), refreshable: new Set<string>() };
  const grant = (): Recorded => {
    const n = ++issued;
    state.good.add(`Bearer at_${n}`);
    state.refreshable.add(`rt_${n}`);
    const tokens = { access_token: `at_${n}`, refresh_token: `rt_${n}` };
    return { status: 200, body: { ...tokens, token_type: "Bearer", expires_in: LIFE_S } };
  };
  const unknown: Recorded = { status: 401, body: { code: "unauthenticated", detail: "…" } };
  const server = await recordedServer((asked) => {
    const interfered = interfere(asked);
    if (interfered) return interfered;
    const { line, headers, body } = asked;
    if (line === "POST /v1/auth/token") return headers.authorization === "Bearer sk_test" ? grant() : unknown;
    if (line === "POST /v1/auth/refresh") {
      const { refresh_token } = JSON.parse(body) as { refresh_token: string };
      return state.refreshable.delete(refresh_token) && headers.authorization === undefined ? grant() : unknown;
    }
    return state.good.has(headers.authorization ?? "") ? { status: 200, body: {} } : unknown;
  });
  opened.push(server);
  const lines = () => server.asked.map(({ line }) => line);
  return { ...server, state, lines };
};

const against = async (interfere?: Parameters<typeof tokenServer>[0], more: Partial<ClientOptions> = {}) => {
  const server = await tokenServer(interfere);
  const clock = movedClock();
  const client = createClient({
    baseUrl: server.baseUrl,
    apiKey: "sk_test",
    useTokens: true,
    clock,
    sleep: (length, signal) => clock.sleep(length, signal),
    random: () => 0.5,
    ...more,
  });
  return { server, clock, client };
};

const times = (lines: readonly string[], line: string): number => lines.filter((each) => each === line).length;
const TOKEN = "POST /v1/auth/token";
const REFRESH = "POST /v1/auth/refresh";

describe("with tokens", () => {
  it("the key travels once, and twenty calls at once ask for one token", async () => {
    const { server, client } = await against();
    await Promise.all(Array.from({ length: 20 }, () => client.quotas()));
    await client.quotas();
    expect(times(server.lines(), TOKEN)).toBe(1);
    const withKey = server.asked.filter(({ headers }) => headers.authorization === "Bearer sk_test");
    expect(withKey.map(({ line }) => line)).toEqual([TOKEN]);
  });

  it("it is renewed half a minute before it expires, once, by whoever comes first", async () => {
    const { server, clock, client } = await against();
    await client.quotas();
    await clock.sleep(((LIFE_S - 31) * 1_000) as never);
    await client.quotas();
    expect(times(server.lines(), REFRESH)).toBe(0);
    await clock.sleep(1_000 as never);
    await Promise.all(Array.from({ length: 10 }, () => client.quotas()));
    expect(times(server.lines(), REFRESH)).toBe(1);
    expect(times(server.lines(), TOKEN)).toBe(1);
    expect(server.asked.at(-1)?.headers.authorization).toBe("Bearer at_2");
  });

  it("one that the server does not take any more is refreshed once, by ten calls together", async () => {
    const { server, client } = await against();
    await client.quotas();
    server.state.good.clear();
    await Promise.all(Array.from({ length: 10 }, () => client.quotas()));
    expect(times(server.lines(), REFRESH)).toBe(1);
    expect(times(server.lines(), TOKEN)).toBe(1);
  });

  it("keeps the Idempotency-Key over a refresh", async () => {
    const { server, client } = await against();
    await client.quotas();
    server.state.good.clear();
    await client.sms.send({ to: "+15005551000", body: "x" });
    const sent = server.asked.filter(({ line }) => line === "POST /v1/sms/send");
    expect(sent.map(({ headers }) => headers.authorization)).toEqual(["Bearer at_1", "Bearer at_2"]);
    expect(sent[1]?.headers["idempotency-key"]).toBe(sent[0]?.headers["idempotency-key"]);
  });

  it("a refresh token that is spent makes it show the key again", async () => {
    const { server, client } = await against();
    await client.quotas();
    server.state.good.clear();
    server.state.refreshable.clear();
    await client.quotas();
    expect(server.lines()).toEqual([TOKEN, "GET /v1/quotas", "GET /v1/quotas", REFRESH, TOKEN, "GET /v1/quotas"]);
  });

  it("a refresh whose answer is lost is asked for again with the same token", async () => {
    let cuts = 1;
    const { server, clock, client } = await against(({ line }) => (line === REFRESH && cuts-- > 0 ? "cut" : null));
    await client.quotas();
    server.state.good.clear();
    await client.quotas();
    const refreshes = server.asked.filter(({ line }) => line === REFRESH).map(({ body }) => body);
    expect(refreshes).toEqual(['{"refresh_token":"rt_1"}', '{"refresh_token":"rt_1"}']);
    // Within the ten seconds that a server allows for a lost answer.
    expect(clock.elapsed()).toBeLessThan(10_000);
  });

  it("refused twice is refused: the second 401 is the answer", async () => {
    const no: Recorded = { status: 401, body: { code: "unauthenticated", detail: "no", request_id: "req_1" } };
    const { server, client } = await against(({ line }) => (line.startsWith("GET") ? no : null));
    await expect(client.quotas()).rejects.toMatchObject({ code: "unauthenticated", status: 401, requestId: "req_1" });
    expect(times(server.lines(), "GET /v1/quotas")).toBe(2);
  });

  it("waits where the exchange itself is limited, and nobody locks the others out", async () => {
    let refusals = 1;
    const limited: Recorded = { status: 429, headers: { "Retry-After": "12" }, body: {} };
    const { clock, client } = await against(({ line }) => (line === TOKEN && refusals-- > 0 ? limited : null));
    await Promise.all([client.quotas(), client.queues()]);
    expect(clock.elapsed()).toBe(12_500);
  });

  it("a caller that gives up does not take the token from the others", async () => {
    const { server, client } = await against();
    const stop = new AbortController();
    const first = client.quotas({}, { signal: stop.signal }).catch((error: unknown) => error);
    const second = client.quotas();
    const off = new Error("enough");
    stop.abort(off);
    expect(await first).toBe(off);
    expect(await second).toEqual({});
    expect(times(server.lines(), TOKEN)).toBe(1);
  });

  it("an exchange that fails fails those who wait for it, and the next call tries anew", async () => {
    let broken = true;
    const { client } = await against(({ line }) =>
      line === TOKEN && broken ? { status: 403, body: { code: "forbidden", detail: "no" } } : null,
    );
    const both = await Promise.allSettled([client.quotas(), client.queues()]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    broken = false;
    expect(await client.quotas()).toEqual({});
  });

  it("an answer without a token is not taken for one, and is not shown", async () => {
    const { client } = await against(({ line }) =>
      line === TOKEN ? { status: 200, body: { access_token: "secret", expires_in: "soon" } } : null,
    );
    const failure = await client.quotas().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "unreadable_answer" });
    expect(JSON.stringify(failure)).not.toContain("secret");
  });
});

it("with the key alone, a 401 is an answer", async () => {
  const { server, client } = await against(undefined, { useTokens: false, apiKey: "sk_wrong" });
  await expect(client.quotas()).rejects.toMatchObject({ status: 401, attempts: 1 });
  expect(server.lines()).toEqual(["GET /v1/quotas"]);
});
