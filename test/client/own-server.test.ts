/** The client against this very server, in each policy and its dialect, with time moved by whoever waits for it. */
import { afterEach, describe, expect, it } from "@jest/globals";
import { parseRateLimit } from "ratelimit-header-parser";
import { createClient, type ClientOptions } from "../../src/client/client.ts";
import { hours, type MonotonicMillis } from "../../src/domain/time.ts";
import { until } from "../support/until.ts";
import { aWorld, type World } from "../support/world.ts";

const opened: World[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.stop();
});

const aServer = async (policy: string): Promise<World> => {
  const world = await aWorld({ workers: 0, env: { SLUICE_API_POLICY: policy } });
  opened.push(world);
  return world;
};

const monotonic = (ms: number): MonotonicMillis => ms as MonotonicMillis;

const aClient = (world: World, more: Partial<ClientOptions> = {}) => {
  const seen = { admittedAt: [] as number[], refused: 0, paths: [] as string[] };
  /** Node writes the machine's date into an answer, and all else in this world goes by the clock that is moved. */
  const fetchInTime = async (url: string, init: RequestInit): Promise<Response> => {
    const at = world.now();
    const response = await fetch(url, init);
    seen.paths.push(new URL(url).pathname);
    if (response.status === 429) seen.refused++;
    else seen.admittedAt.push(at);
    const headers = new Headers(response.headers);
    headers.set("date", new Date(world.now()).toUTCString());
    return new Response(response.status === 204 ? null : await response.text(), { status: response.status, headers });
  };
  const client = createClient({
    baseUrl: world.origin,
    apiKey: world.account.key,
    fetch: fetchInTime,
    clock: { now: world.now, monotonic: () => monotonic(world.now()) },
    sleep: async (length) => world.advanceTo(world.now() + length),
    random: () => 0.5,
    patience: hours(1),
    ...more,
  });
  return { client, seen };
};

const MINUTE = 60_000;
/** The most that were admitted in any span of a minute. */
const mostInAMinute = (times: readonly number[]): number =>
  Math.max(...times.map((start) => times.filter((at) => at >= start && at < start + MINUTE).length));

/** Requests a minute for a route without a row of its own in the policy's table. */
const LIMITS = { sluice: 60, migosmtp: 60, telnxo: 60, monogoto: 60, mojeeb: 60, ipto: 100, tagoio: 60 } as const;

describe("a caller in a hurry, against our own server with the policy", () => {
  it.each(["sluice", "migosmtp", "telnxo", "ipto"] as const)(
    "%s, which tells what is left: is never refused, and loses little",
    async (policy) => {
      const { client, seen } = aClient(await aServer(policy));
      const calls = LIMITS[policy] * 2 + 10;
      for (let n = 0; n < calls; n++) await client.windows();
      expect(seen.refused).toBe(0);
      expect(mostInAMinute(seen.admittedAt)).toBeLessThanOrEqual(LIMITS[policy]);
      const [first = 0] = seen.admittedAt;
      expect((seen.admittedAt.at(-1) ?? 0) - first).toBeLessThan(2.5 * MINUTE);
    },
  );

  it("monogoto, which tells no reset: is hardly refused", async () => {
    const { client, seen } = aClient(await aServer("monogoto"));
    for (let n = 0; n < 130; n++) await client.windows();
    expect(seen.refused).toBeLessThanOrEqual(2);
    expect(seen.admittedAt).toHaveLength(130);
  });

  it.each(["mojeeb", "tagoio"] as const)(
    "%s, which tells only when it refuses: is refused once a window, and comes back when it was told",
    async (policy) => {
      const { client, seen } = aClient(await aServer(policy));
      for (let n = 0; n < 130; n++) await client.windows();
      expect(seen.refused).toBe(2);
      const [first = 0] = seen.admittedAt;
      expect((seen.admittedAt.at(-1) ?? 0) - first).toBeLessThanOrEqual(2 * MINUTE + 2_000);
    },
  );

  it("sluice: sees what bounds it, and what was refused to whom", async () => {
    const world = await aServer("sluice");
    const { client } = aClient(world, { attempts: 1 });
    // In a hurry and deaf: sixty are admitted, and the next is refused.
    const deaf = await Promise.all(Array.from({ length: 61 }, () => world.as("GET", "/v1/windows")));
    expect(deaf.filter(({ status }) => status === 429)).toHaveLength(1);
    const { policy, items } = await client.limits();
    expect(policy).toBe("sluice");
    expect(items.find(({ rule }) => rule === "other")).toMatchObject({ limit: 60, remaining: 0, window_seconds: 60 });
    // The books are written a moment later than the answers.
    await until(async () => {
      const { body } = await world.call("GET", `/v1/reports/api-usage?account_id=${world.account.id}`);
      return body.items.some(({ rule, refused }: any) => rule === "other" && refused === 1);
    });
    const used = (await client.apiUsage()).items.find(({ rule }) => rule === "other");
    expect(used).toMatchObject({ admitted: 60, refused: 1, shadow_refused: 0 });
    await expect(client.windows()).rejects.toMatchObject({ code: "too_many_requests", status: 429 });
  });
});

describe("what our own server says", () => {
  it.each(["migosmtp", "telnxo", "ipto", "monogoto"] as const)(
    "in the dialect of %s is read right by a parser that nobody here wrote",
    async (policy) => {
      const world = await aServer(policy);
      const { headers } = await world.as("GET", "/v1/windows");
      const limit = LIMITS[policy];
      expect(parseRateLimit(headers)).toMatchObject({ limit, used: 1, remaining: limit - 1 });
    },
  );
});

describe("against our own server", () => {
  it("it sends, looks, takes back and lists", async () => {
    const world = await aServer("sluice");
    const { client } = aClient(world);
    const email = { from: "shop@example.com", to: "ann@example.net", subject: "Hello", text: "It works." };
    const sent = await client.email.send({ ...email, reference: "r-1" });
    expect(sent).toMatchObject({ channel: "email", status: "queued" });
    expect(await client.email.send(email, { idempotencyKey: "k-1" })).toEqual(
      await client.email.send(email, { idempotencyKey: "k-1" }),
    );
    const bulk = await client.sms.sendBulk({
      template: { body: "Hello {{name}}" },
      recipients: [{ to: "+15005551001", variables: { name: "Ann" } }, { to: "nobody" }],
    });
    expect(bulk).toMatchObject({ accepted: 1, rejected: 1 });
    expect(await client.message(sent.id)).toMatchObject({ id: sent.id, reference: "r-1" });
    expect(await client.batch(bulk.batch_id)).toMatchObject({ total: 1 });
    expect(await client.cancelBatch(bulk.batch_id)).toMatchObject({ canceled: 1 });
    expect(await client.cancel(sent.id)).toEqual({ id: sent.id, status: "canceled" });
    const listed: string[] = [];
    for await (const { status } of client.everyMessage({ limit: 1 })) listed.push(status);
    expect(listed.sort()).toEqual(["canceled", "canceled", "queued"]);
    await client.voice.call({ to: "+15005551001", say: "It works." });
    await client.whatsapp.send({ to: "+15005551001", body: "It works." });
    expect((await client.queues()).voice.queued).toBe(1);
    expect((await client.quotas()).email.hour).toMatchObject({ limit: null, used: 0 });
    expect((await client.usage({ by: "hour" })).items).toEqual([]);
    await client.suppressions.add({ channel: "email", address: "ann@example.net" });
    expect((await client.suppressions.list({ channel: "email" })).items).toHaveLength(1);
    expect(await client.suppressions.remove({ channel: "email", address: "ann@example.net" })).toBeNull();
    await expect(client.email.send({ ...email, to: "x" })).rejects.toMatchObject({
      code: "invalid_request",
      status: 422,
      errors: [{ field: "to" }],
    });
    await expect(client.replay(sent.id)).rejects.toMatchObject({ code: "not_replayable", status: 409 });
  });

  it("with tokens: one exchange for many calls at once, and one refresh when it is time", async () => {
    const world = await aServer("sluice");
    let aged = 0;
    const clock = { now: world.now, monotonic: () => monotonic(world.now() + aged) };
    const { client, seen } = aClient(world, { useTokens: true, clock });
    await Promise.all(Array.from({ length: 10 }, () => client.quotas()));
    // The token's life as the client measures it; the server's goes on.
    aged += hours(1);
    await Promise.all(Array.from({ length: 10 }, () => client.quotas()));
    expect(seen.paths.filter((path) => path.startsWith("/v1/auth/"))).toEqual(["/v1/auth/token", "/v1/auth/refresh"]);
  });
});
