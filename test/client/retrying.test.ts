import { afterEach, describe, expect, it } from "@jest/globals";
import { createClient, SluiceFailure, type ClientOptions } from "../../src/client/client.ts";
import { seconds } from "../../src/domain/time.ts";
import { until } from "../support/until.ts";
import { movedClock } from "./moved-clock.ts";
import { type Recorded, recordedServer } from "./recorded.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

const SMS = { to: "+15005551000", body: "It works." };
const ACCEPTED: Recorded = { status: 202, body: { id: "msg_1", status: "queued" } };

const against = async (script: Parameters<typeof recordedServer>[0], more: Partial<ClientOptions> = {}) => {
  const server = await recordedServer(script);
  opened.push(server);
  const clock = movedClock();
  const client = createClient({
    baseUrl: `${server.baseUrl}/`,
    apiKey: "sk_test",
    clock,
    sleep: (length, signal) => clock.sleep(length, signal),
    random: () => 0.999,
    ...more,
  });
  return { server, clock, client };
};
const failureOf = async (call: Promise<unknown>): Promise<SluiceFailure> => {
  const failure = await call.catch((error: unknown) => error);
  if (failure instanceof SluiceFailure) return failure;
  throw new Error(`expected a SluiceFailure, got ${String(failure)}`);
};

describe("trouble that may pass", () => {
  it.each<[string, Recorded]>([
    ["500", { status: 500, body: { code: "internal_error" } }],
    ["502 with a page", { status: 502, headers: { "Content-Type": "text/html" }, body: "<html>" }],
    ["a connection that breaks off", "cut"],
    ["its own request that is still being worked on", { status: 409, body: { code: "idempotency_running" } }],
    ["a request that did not arrive in time", { status: 408, body: { code: "request_timeout" } }],
  ])("(%s) is tried again with growing distance, under one Idempotency-Key", async (_, trouble) => {
    const { server, clock, client } = await against([trouble, trouble, trouble, ACCEPTED]);
    expect(await client.sms.send(SMS)).toMatchObject({ id: "msg_1" });
    expect(new Set(server.asked.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
    expect(clock.slept.map((ms) => Math.round(ms / 1_000))).toEqual([2, 4, 8]);
  });

  it("503 with Retry-After is given at least that long", async () => {
    const { clock, client } = await against([{ status: 503, headers: { "Retry-After": "10" } }, ACCEPTED]);
    await client.sms.send(SMS);
    expect(clock.elapsed()).toBeGreaterThanOrEqual(10_000);
    expect(clock.elapsed()).toBeLessThan(11_000);
  });

  it("a silent server is given up, and asked again", async () => {
    const { server, client } = await against(["silent", ACCEPTED], { attemptTimeout: seconds(2) });
    expect(await client.sms.send(SMS)).toMatchObject({ id: "msg_1" });
    expect(server.asked).toHaveLength(2);
  });

  it("backs off by a random part, never by less than a second", async () => {
    const { clock, client } = await against(["cut", "cut", ACCEPTED], { random: () => 0 });
    await client.sms.send(SMS);
    expect(clock.slept).toEqual([1_000, 1_000]);
  });
});

describe("giving up", () => {
  it("after five requests, with the last response", async () => {
    const { server, client } = await against(() => ({
      status: 503,
      headers: { "X-Request-Id": "req_7" },
      body: { code: "unavailable", detail: "Redis does not answer" },
    }));
    const failure = await failureOf(client.sms.send(SMS));
    expect(failure).toMatchObject({ code: "unavailable", status: 503, attempts: 5, requestId: "req_7" });
    expect(failure.message).toBe("POST /v1/sms/send: Redis does not answer");
    expect(failure.answer?.body).toMatchObject({ code: "unavailable" });
    expect(server.asked).toHaveLength(5);
  });

  it("when there was no answer, with the last one that there was", async () => {
    const { client } = await against([{ status: 500 }, "cut", "cut"], { attempts: 3 });
    expect(await failureOf(client.sms.send(SMS))).toMatchObject({ code: "no_answer", attempts: 3, status: 500 });
    const { client: other } = await against(["cut"], { attempts: 1 });
    const failure = await failureOf(other.sms.send(SMS));
    expect(failure).toMatchObject({ code: "no_answer", status: null, answer: null });
    expect(String(failure.cause)).toContain("fetch failed");
  });

  it("when nobody is there: says so", async () => {
    const { server, client } = await against([], { attempts: 2 });
    await server.close();
    const failure = await failureOf(client.sms.send(SMS));
    expect(failure.message).toBe(
      `POST /v1/sms/send: no answer to 2 requests (connect ECONNREFUSED ${new URL(server.baseUrl).host})`,
    );
  });

  it("before the whole time is over, when the next try could not come in it", async () => {
    const { clock, server, client } = await against(() => "cut", { patience: seconds(10), attempts: 100 });
    expect(await failureOf(client.sms.send(SMS))).toMatchObject({ code: "no_answer", attempts: 3 });
    expect(server.asked).toHaveLength(3);
    expect(clock.elapsed()).toBeLessThan(10_000);
  });

  it("at once, when it would not help: with the fields that are wrong", async () => {
    const errors = [{ field: "to", expected: "one number in E.164", got: '"x"' }];
    const { server, clock, client } = await against([
      { status: 422, body: { code: "invalid_request", detail: "to: …", request_id: "req_5", errors } },
    ]);
    expect(await failureOf(client.sms.send({ ...SMS, to: "x" }))).toMatchObject({
      code: "invalid_request",
      errors,
      requestId: "req_5",
      attempts: 1,
    });
    expect(server.asked).toHaveLength(1);
    expect(clock.slept).toEqual([]);
  });

  it.each([301, 400, 401, 403, 404, 409, 413, 501])("at once, on %d", async (status) => {
    const { server, client } = await against([{ status, headers: { Location: "/elsewhere" } }, ACCEPTED]);
    expect(await failureOf(client.sms.send(SMS))).toMatchObject({ code: `http_${status}`, status });
    expect(server.asked).toHaveLength(1);
  });

  it.each(["<html>welcome</html>", "{", ""])("on a good answer that is none: %j", async (body) => {
    const { client } = await against(["cut", { status: 200, headers: { "X-Request-Id": "req_7" }, body }]);
    expect(await failureOf(client.sms.send(SMS))).toMatchObject({
      code: "unreadable_answer",
      status: 200,
      attempts: 2,
      requestId: "req_7",
    });
  });
});

describe("a caller that calls it off", () => {
  const off = new Error("enough");

  it("before it began: nothing is sent", async () => {
    const { server, client } = await against([ACCEPTED]);
    await expect(client.sms.send(SMS, { signal: AbortSignal.abort(off) })).rejects.toBe(off);
    expect(server.asked).toHaveLength(0);
  });

  it("while the server is silent", async () => {
    const { server, client } = await against(["silent"]);
    const stop = new AbortController();
    const call = client.sms.send(SMS, { signal: stop.signal });
    const rejected = expect(call).rejects.toBe(off);
    await until(() => server.asked.length);
    stop.abort(off);
    await rejected;
  });

  it("while it waits to try again, and those behind it go on", async () => {
    const clock = movedClock();
    const stop = new AbortController();
    const { server, client } = await against([{ status: 429, headers: { "Retry-After": "30" } }, ACCEPTED], {
      clock,
      // Called off in the middle of its first wait.
      sleep: async (length, signal) => {
        if (signal === stop.signal) stop.abort(off);
        return clock.sleep(length, signal);
      },
    });
    await expect(client.sms.send(SMS, { signal: stop.signal })).rejects.toBe(off);
    expect(await client.sms.send(SMS)).toMatchObject({ id: "msg_1" });
    expect(server.asked).toHaveLength(2);
    // The next one of this kind kept to what the first was told.
    expect(clock.elapsed()).toBe(30_000);
  });
});

describe("one in a queue behind others", () => {
  const told = (remaining: number) => ({
    status: 202,
    headers: { "X-RateLimit-Limit": "100", "X-RateLimit-Remaining": String(remaining), "X-RateLimit-Reset": "60" },
    body: { id: "msg_1" },
  });

  it("leaves it when called off, and keeps nobody up", async () => {
    const { server, client, clock } = await against(() => told(5));
    await client.sms.send(SMS);
    const stop = new AbortController();
    const calls = [
      client.sms.send(SMS),
      client.sms.send(SMS, { signal: stop.signal }).catch((error: unknown) => error),
      client.sms.send(SMS),
    ];
    const off = new Error("enough");
    stop.abort(off);
    expect(await Promise.all(calls)).toEqual([{ id: "msg_1" }, off, { id: "msg_1" }]);
    expect(server.asked).toHaveLength(3);
    expect(clock.elapsed()).toBeGreaterThanOrEqual(20_000);
  });

  it("waits on, when one before it is told to come later while it waits for its turn", async () => {
    const times: number[] = [];
    const clock = movedClock();
    // Without a socket: an answer must not be on its way while time moves.
    const fetch = async (): Promise<Response> => {
      times.push(clock.elapsed());
      const { status, headers, body } =
        times.length === 2 ? { status: 429, headers: { "Retry-After": "30" }, body: {} } : told(5);
      return Response.json(body, { status, headers });
    };
    const client = createClient({
      baseUrl: "http://sluice.invalid",
      apiKey: "sk_test",
      clock,
      fetch,
      sleep: (length, signal) => clock.sleep(length, signal),
    });
    await client.sms.send(SMS);
    await Promise.all([client.sms.send(SMS), client.sms.send(SMS)]);
    // The third had begun to wait when the second was refused, and would have come 10 s later.
    expect(times.slice(0, 2)).toEqual([0, 10_000]);
    expect(Math.min(...times.slice(2))).toBeGreaterThanOrEqual(40_000);
  });

  it("fails without having been sent, when its turn does not come in its time", async () => {
    const { server, client } = await against(() => told(5), { patience: 25_000 });
    await client.sms.send(SMS);
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => client.sms.send(SMS)));
    const failed = results.flatMap((each) => (each.status === "rejected" ? [each.reason as SluiceFailure] : []));
    expect(failed.length).toBeGreaterThan(0);
    expect(server.asked).toHaveLength(1 + 6 - failed.length);
    for (const failure of failed) expect(failure).toMatchObject({ code: "out_of_patience", attempts: 0 });
  });

  it("asks all the same when the limit is spent for longer than it can wait: it may have been raised", async () => {
    const spent = { "X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "86000" };
    const { client, clock } = await against([{ status: 202, headers: spent, body: { id: "msg_1" } }, ACCEPTED]);
    await client.sms.send(SMS);
    expect(await client.sms.send(SMS)).toMatchObject({ id: "msg_1" });
    expect(clock.elapsed()).toBe(0);
  });

  it("is not held up by another operation's limit", async () => {
    const { client, clock } = await against([told(0), { status: 200, body: { email: {} } }]);
    await client.sms.send(SMS);
    expect(await client.quotas()).toEqual({ email: {} });
    expect(clock.elapsed()).toBe(0);
  });
});

describe("what is asked", () => {
  it("is a route of the API, with ids and queries encoded", async () => {
    const { server, client } = await against((asked) =>
      asked.line.startsWith("DELETE /v1/suppressions") ? { status: 204 } : { status: 200, body: { items: [] } },
    );
    await client.message("msg/1?");
    await client.messages({ status: "sent", reference: "a&b=c", limit: 2 });
    await client.batch("bat_1", { account_id: "acc_1" });
    await client.cancel("msg_1");
    await client.cancelBatch("bat_1");
    await client.replay("msg_1", { idempotencyKey: "mine" });
    await client.windows({ timezone: "Asia/Kathmandu" });
    await client.usage({ by: "day" });
    await client.limits();
    await client.apiUsage();
    await client.queues();
    await client.suppressions.list({ channel: "email" });
    await client.suppressions.add({ channel: "sms", address: "+15005551000", account_id: "acc_1" });
    expect(await client.suppressions.remove({ channel: "sms", address: "+15005551000" })).toBeNull();
    await client.email.sendBulk({ messages: [] });
    await client.whatsapp.sendBulk({ template: { body: "x" }, recipients: [], ttl: 5 });
    await client.voice.call({ to: "+15005551000", say: "x" });
    expect(server.asked.map(({ line }) => line)).toEqual([
      "GET /v1/messages/msg%2F1%3F",
      "GET /v1/messages?status=sent&reference=a%26b%3Dc&limit=2",
      "GET /v1/batches/bat_1?account_id=acc_1",
      "DELETE /v1/messages/msg_1",
      "DELETE /v1/batches/bat_1",
      "POST /v1/messages/msg_1/replay",
      "GET /v1/windows?timezone=Asia%2FKathmandu",
      "GET /v1/reports/usage?by=day",
      "GET /v1/limits",
      "GET /v1/reports/api-usage",
      "GET /v1/queues",
      "GET /v1/suppressions?channel=email",
      "POST /v1/suppressions?account_id=acc_1",
      "DELETE /v1/suppressions?channel=sms&address=%2B15005551000",
      "POST /v1/email/send/bulk",
      "POST /v1/whatsapp/send/bulk",
      "POST /v1/voice/call",
    ]);
    const keyed = server.asked.filter(({ headers }) => headers["idempotency-key"] !== undefined);
    expect(keyed.map(({ line }) => line)).toEqual([
      "POST /v1/messages/msg_1/replay",
      "POST /v1/email/send/bulk",
      "POST /v1/whatsapp/send/bulk",
      "POST /v1/voice/call",
    ]);
    expect(keyed[0]?.headers["idempotency-key"]).toBe("mine");
    expect(JSON.parse(server.asked[12]?.body ?? "")).toEqual({ channel: "sms", address: "+15005551000" });
  });

  it("of a list is page after page", async () => {
    const { server, client } = await against([
      { status: 200, body: { items: [{ id: "1" }, { id: "2" }], next_cursor: "c" } },
      { status: 200, body: { items: [{ id: "3" }], next_cursor: null } },
    ]);
    const ids: string[] = [];
    for await (const { id } of client.everyMessage({ channel: "sms" })) ids.push(id);
    expect(ids).toEqual(["1", "2", "3"]);
    expect(server.asked[1]?.line).toBe("GET /v1/messages?channel=sms&cursor=c");
  });

  it("a cancel whose answer was lost finds what it has done itself", async () => {
    const final: Recorded = { status: 409, body: { code: "already_final", detail: "…" } };
    const canceled: Recorded = { status: 200, body: { id: "msg_1", status: "canceled" } };
    const { client } = await against(["cut", final, canceled]);
    expect(await client.cancel("msg_1")).toEqual({ id: "msg_1", status: "canceled" });
    const { client: late } = await against(["cut", final, { status: 200, body: { id: "msg_1", status: "sent" } }]);
    expect(await failureOf(late.cancel("msg_1"))).toMatchObject({ code: "already_final" });
    const { client: first, server } = await against([final]);
    expect(await failureOf(first.cancel("msg_1"))).toMatchObject({ code: "already_final" });
    expect(server.asked).toHaveLength(1);
  });

  it("a suppression whose removal was answered, and the answer lost, is removed", async () => {
    const gone: Recorded = { status: 404, body: { code: "not_found", detail: "…" } };
    const suppression = { channel: "sms", address: "+15005551000" } as const;
    const { client, server } = await against(["cut", gone]);
    expect(await client.suppressions.remove(suppression)).toBeNull();
    expect(server.asked).toHaveLength(2);
    // Where an account is named, it may be that which is not found.
    const named = { ...suppression, account_id: "acc_1" };
    const { client: operator } = await against(["cut", gone, { status: 200, body: { items: [], next_cursor: null } }]);
    expect(await operator.suppressions.remove(named)).toBeNull();
    const { client: nobody } = await against(["cut", gone, gone]);
    expect(await failureOf(nobody.suppressions.remove(named))).toMatchObject({ code: "not_found" });
    const { client: first, server: once } = await against([gone]);
    expect(await failureOf(first.suppressions.remove(suppression))).toMatchObject({ code: "not_found", attempts: 1 });
    expect(once.asked).toHaveLength(1);
  });

  it("that can be no request is the caller's mistake: it is told so at once, and nothing is sent", async () => {
    const { server, clock, client } = await against([ACCEPTED]);
    await expect(client.sms.send(SMS, { idempotencyKey: "order → 4711" })).rejects.toMatchObject({ name: "TypeError" });
    await expect(client.sms.send(SMS, { idempotencyKey: "order\n4711" })).rejects.toMatchObject({ name: "TypeError" });
    expect(server.asked).toHaveLength(0);
    expect(clock.slept).toEqual([]);
    // Those behind it are not held up.
    expect(await client.sms.send(SMS)).toMatchObject({ id: "msg_1" });
  });
});

it("waits longer than a timer can, for who has the patience, and lets a request take as long", async () => {
  const server = await recordedServer([
    { status: 200, body: { items: [] } },
    { status: 429, headers: { "Retry-After": "2592000" } },
  ]);
  opened.push(server);
  const endless = { attemptTimeout: Number.POSITIVE_INFINITY, patience: Number.POSITIVE_INFINITY };
  const client = createClient({ baseUrl: server.baseUrl, apiKey: "sk_test", ...endless });
  expect(await client.usage()).toEqual({ items: [] });
  // A month, which is told by 429 alone.
  const enough = new AbortController();
  const called = client.sms.send(SMS, { signal: enough.signal }).catch((error: unknown) => error);
  await until(() => server.asked.length === 2);
  // A timer that is given too much goes off at once, and would have it asked a third time.
  setTimeout(() => enough.abort("enough"), 300);
  expect(await called).toBe("enough");
  expect(server.asked).toHaveLength(2);
});

it("without a test's clock and sleep, it really waits", async () => {
  const server = await recordedServer([{ status: 429, headers: { "Retry-After": "0.2" } }, ACCEPTED]);
  opened.push(server);
  const client = createClient({ baseUrl: server.baseUrl, apiKey: "sk_test", random: () => 0 });
  const began = performance.now();
  expect(await client.sms.send(SMS)).toMatchObject({ id: "msg_1" });
  expect(performance.now() - began).toBeGreaterThanOrEqual(199);
});
