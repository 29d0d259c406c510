import { afterEach, describe, expect, it } from "@jest/globals";
import { createClient, SluiceFailure, type ClientOptions } from "../../src/client/client.ts";
import { milliseconds, minutes, type Millis } from "../../src/domain/time.ts";
import type { Decision, Standing } from "../../src/ratelimit/decision.ts";
import { DIALECTS } from "../../src/ratelimit/dialects/by-name.ts";
import { DIALECT_SCRIPTS } from "./dialect-scripts.ts";
import { type MovedClock, movedClock } from "./moved-clock.ts";
import { type Recorded, recordedServer } from "./recorded.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

const EMAIL = { from: "shop@example.com", to: "ann@example.net", subject: "Hello", text: "It works." };

const against = async (script: readonly Recorded[], more: Partial<ClientOptions> = {}) => {
  const server = await recordedServer(script);
  opened.push(server);
  const clock = movedClock();
  const client = createClient({
    baseUrl: server.baseUrl,
    apiKey: "sk_test",
    clock,
    sleep: (length, signal) => clock.sleep(length, signal),
    random: () => 0.5,
    ...more,
  });
  return { server, clock, client };
};

describe("a server that refuses, in the dialect of", () => {
  it.each(Object.entries(DIALECT_SCRIPTS))(
    "%s: it waits as long as it was told and half a second of jitter, and sends the same again",
    async (_, { good, refusal, wait }) => {
      const { server, clock, client } = await against([good, refusal, good]);
      await client.email.send(EMAIL);
      expect(await client.email.send(EMAIL)).toMatchObject({ id: "msg_1" });
      expect(clock.elapsed()).toBe(wait * 1_000 + 500);
      const keys = server.asked.map(({ headers }) => headers["idempotency-key"]);
      expect(keys[1]).toMatch(/^[0-9a-f-]{36}$/);
      expect(keys[2]).toBe(keys[1]);
      expect(keys[0]).not.toBe(keys[1]);
      expect(server.asked[2]?.body).toBe(server.asked[1]?.body);
      expect(server.asked[1]).toMatchObject({
        line: "POST /v1/email/send",
        headers: { authorization: "Bearer sk_test", "content-type": "application/json" },
      });
    },
  );

  it.each(Object.entries(DIALECT_SCRIPTS))(
    "%s: refused three times it waits three times, each no longer than it was told",
    async (_, { good, refusal, wait }) => {
      const patience = minutes(10);
      const { clock, client } = await against([refusal, refusal, refusal, good], { patience });
      await client.email.send(EMAIL);
      expect(clock.elapsed()).toBe(3 * (wait * 1_000 + 500));
    },
  );

  it.each(Object.entries(DIALECT_SCRIPTS))(
    "%s: without patience it fails at once, and says for how long to wait",
    async (_, { refusal, wait }) => {
      const { clock, client } = await against([refusal], { patience: 5_000 });
      const failure = await client.email.send(EMAIL).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(SluiceFailure);
      expect(failure).toMatchObject({ code: "too_many_requests", status: 429, attempts: 1, retryIn: wait * 1_000 });
      expect((failure as SluiceFailure).answer?.body).toEqual((refusal as { body: unknown }).body);
      expect(clock.slept).toEqual([]);
    },
  );
});

/** A server with one limit, in a fixed window that begins with its first request, in a dialect of ours. */
const limitedServer = (name: string, limit: number, length: Millis, clock: MovedClock) => {
  const dialect = DIALECTS.find((each) => each.name === name);
  if (!dialect) throw new Error(name);
  let startedAt = Number.NEGATIVE_INFINITY;
  let used = 0;
  const seen = { admittedAt: [] as number[], refused: 0 };
  const answer = async (): Promise<Response> => {
    const now = clock.elapsed();
    if (now >= startedAt + length) [startedAt, used] = [now, 0];
    const admitted = used < limit;
    if (admitted) used++;
    const resetIn = milliseconds(startedAt + length - now);
    const window: Standing = { rule: "email-send", kind: "fixed", length, limit, remaining: limit - used, resetIn };
    const decision: Decision = {
      admitted,
      at: clock.now(),
      standings: [window],
      violated: admitted ? [] : [window],
      retryIn: admitted ? milliseconds(0) : resetIn,
    };
    if (admitted) seen.admittedAt.push(now);
    else seen.refused++;
    const { contentType, body } = admitted
      ? { contentType: "application/json", body: { id: "msg_1" } }
      : dialect.refusal(decision, "req_1");
    const headers = { Date: new Date(clock.now()).toUTCString(), "Content-Type": contentType };
    return new Response(JSON.stringify(body), {
      status: admitted ? 202 : 429,
      headers: { ...headers, ...dialect.headers(decision) },
    });
  };
  return { answer, seen };
};

const aLimitedClient = (name: string, limit: number) => {
  const clock = movedClock();
  const { answer, seen } = limitedServer(name, limit, minutes(1), clock);
  const client = createClient({
    baseUrl: "http://sluice.test",
    apiKey: "sk_test",
    fetch: answer,
    clock,
    sleep: (length, signal) => clock.sleep(length, signal),
    random: () => 0.5,
    patience: minutes(5),
  });
  return { client, clock, seen };
};

describe("a caller in a hurry, against a limit of 30 a minute in the dialect of", () => {
  it.each(["sluice", "migosmtp", "telnxo", "ipto"])(
    "%s, which tells what is left: slows down before the wall and is never refused",
    async (name) => {
      const { client, clock, seen } = aLimitedClient(name, 30);
      for (let n = 0; n < 75; n++) await client.email.send(EMAIL);
      expect(seen.refused).toBe(0);
      expect(seen.admittedAt).toHaveLength(75);
      // Two windows and a half: neither dawdling nor waiting more than a second on top of each reset.
      expect(clock.elapsed()).toBeGreaterThanOrEqual(120_000);
      expect(clock.elapsed()).toBeLessThan(126_000);
      // 24 of 30 at once, the last fifth spread over the minute.
      expect(seen.admittedAt.filter((at) => at === 0).length).toBeGreaterThanOrEqual(24);
      expect(seen.admittedAt.filter((at) => at > 0 && at < 60_000)).toHaveLength(
        30 - seen.admittedAt.filter((at) => at === 0).length,
      );
    },
  );

  it("monogoto, which tells no reset: takes a minute for granted, and is hardly refused", async () => {
    const { client, clock, seen } = aLimitedClient("monogoto", 30);
    for (let n = 0; n < 75; n++) await client.email.send(EMAIL);
    expect(seen.refused).toBeLessThanOrEqual(2);
    expect(clock.elapsed()).toBeLessThan(200_000);
  });

  it.each(["mojeeb", "tagoio"])("%s, which tells only when it refuses: is refused once a window", async (name) => {
    const { client, clock, seen } = aLimitedClient(name, 30);
    for (let n = 0; n < 75; n++) await client.email.send(EMAIL);
    expect(seen.refused).toBe(2);
    expect(clock.elapsed()).toBeGreaterThanOrEqual(120_000);
    expect(clock.elapsed()).toBeLessThanOrEqual(124_000);
  });

  it.each(DIALECTS.map(({ name }) => name))("%s: 60 at the same time all get through", async (name) => {
    const { client, seen } = aLimitedClient(name, 30);
    const sent = await Promise.all(Array.from({ length: 60 }, () => client.email.send(EMAIL)));
    expect(sent).toHaveLength(60);
    expect(seen.admittedAt).toHaveLength(60);
    // The thirty too many are refused once: who was refused waits, and so does whoever comes behind.
    expect(seen.refused).toBeLessThanOrEqual(30);
  });
});
