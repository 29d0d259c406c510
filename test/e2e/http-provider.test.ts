/** Messages through the whole of Sluice to a service over HTTP, and back: its limits are everybody's. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { recordedServer, type Recorded } from "../client/recorded.ts";
import { scratchDirectory } from "../start/scratch.ts";
import { aWorld, type World, type WorldOptions } from "../support/world.ts";
import { until } from "../support/until.ts";

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

const aService = async (script: (asked: number) => Recorded) => {
  let asked = 0;
  const server = await recordedServer(() => script(++asked));
  opened.push(server.close);
  return server;
};

/** A world whose SMS go to the service; two workers, so that what one is told the other must hear of. */
const worldWith = async (url: string, more = "", options: WorldOptions = {}): Promise<World> => {
  const scratch = scratchDirectory();
  opened.push(async () => scratch.remove());
  const file = join(scratch.path, "services.yaml");
  writeFileSync(
    file,
    `sms:
  url: ${url}/v1/sms/send
  headers: { Authorization: "Bearer \${SERVICE_KEY}" }
  body: { to: "{{to}}", text: "{{body}}", ref: "{{id}}" }
  from: "+15005550006"
  provider_id: id
${more}`,
  );
  const env = { SLUICE_HTTP_PROVIDERS: file, SERVICE_KEY: "hunter2" };
  const world = await aWorld({ at: "2026-03-01T09:00:00Z", workers: 2, env, ...options });
  opened.push(world.stop);
  return world;
};

const sent = (n: number): Recorded => ({ status: 200, body: { id: `m-${n}` } });
const statusOf = async (world: World, id: string) => (await world.as("GET", `/v1/messages/${id}`)).body;

describe("a channel whose provider is a service over HTTP", () => {
  it("sends through it, within its quotas, and tells the service's name for the message", async () => {
    const service = await aService(sent);
    const world = await worldWith(service.baseUrl, "", { quotas: { sms: { hour: 3 } } });
    const { body } = await world.send(1, "sms");
    await Promise.all([2, 3, 4, 5].map((n) => world.send(n, "sms")));
    await world.quiet();
    expect(service.asked).toHaveLength(3);
    const told = await statusOf(world, body.id);
    expect(told).toMatchObject({ status: "sent", attempts: [{ outcome: "sent", provider: "http" }] });
    expect(told.provider_id).toMatch(/^m-\d$/);
    const first = service.asked.find(({ headers }) => headers["idempotency-key"] === body.id);
    expect(first?.headers.authorization).toBe("Bearer hunter2");
    expect(JSON.parse(first?.body ?? "")).toEqual({ to: "+15005551001", text: "text 1", ref: body.id });
    // The other channels go where they went before.
    await world.send(1, "whatsapp");
    await world.quiet();
    expect(world.ledger.map(({ channel }) => channel)).toEqual(["whatsapp"]);
    await world.advanceTo("2026-03-01T10:00:00Z");
    await world.quiet();
    expect(service.asked).toHaveLength(5);
  });

  it("refused for a limit is closed for every worker for as long as it was told, and loses nothing", async () => {
    const refusal: Recorded = { status: 429, body: { detail: "…", retry_after: 40 } };
    const service = await aService((asked) => (asked === 1 ? refusal : sent(asked)));
    const world = await worldWith(service.baseUrl);
    const { body } = await world.send(1, "sms");
    await world.quiet();
    expect(service.asked).toHaveLength(1);
    const later = await Promise.all([2, 3, 4, 5, 6].map((n) => world.send(n, "sms")));
    expect(later.map((answer) => answer.body.held_by)).toEqual(later.map(() => "provider"));
    await world.advanceTo("2026-03-01T09:00:39Z");
    expect(service.asked).toHaveLength(1);
    await world.advanceTo("2026-03-01T09:00:40Z");
    await until(async () => (await statusOf(world, body.id)).status === "sent");
    await world.quiet();
    expect(service.asked).toHaveLength(7);
    // A throttled attempt costs no try.
    expect((await statusOf(world, body.id)).attempts.map(({ outcome }: any) => outcome)).toEqual(["throttled", "sent"]);
  });

  it('that refuses and says "at once" is asked again in a second, and not as fast as the rate allows', async () => {
    const refusal: Recorded = { status: 429, headers: { "Retry-After": "0" } };
    const service = await aService((asked) => (asked === 1 ? refusal : sent(asked)));
    const world = await worldWith(service.baseUrl);
    const { body } = await world.send(1, "sms");
    await world.quiet();
    expect(service.asked).toHaveLength(1);
    await world.advanceTo("2026-03-01T09:00:01Z");
    await until(async () => (await statusOf(world, body.id)).status === "sent");
  });

  it("with little left of its limit is slowed down for every worker, before it is refused", async () => {
    const told = (n: number): Recorded => ({
      status: 200,
      headers: { "X-RateLimit-Limit": "100", "X-RateLimit-Remaining": String(10 - n), "X-RateLimit-Reset": "50" },
      body: { id: `m-${n}` },
    });
    const service = await aService(told);
    const world = await worldWith(service.baseUrl);
    await world.send(1, "sms");
    await world.quiet();
    expect(service.asked).toHaveLength(1);
    await Promise.all([2, 3].map((n) => world.send(n, "sms")));
    // Nine left for fifty seconds: five between two messages.
    await world.advanceTo("2026-03-01T09:00:04.999Z");
    expect(service.asked).toHaveLength(1);
    await world.advanceTo("2026-03-01T09:00:05Z");
    await world.quiet();
    expect(service.asked.length).toBeGreaterThan(1);
    const usage = await world.as("GET", "/v1/reports/usage?channel=sms");
    expect(usage.body.items.map(({ throttled }: any) => throttled)).toEqual([0]);
  });

  it("that knows keys is shown what may have been sent once more, under the same key, and it is charged again", async () => {
    const service = await aService((asked) => (asked === 1 ? "cut" : sent(asked)));
    const world = await worldWith(service.baseUrl, "  idempotent: true\n");
    const { body } = await world.send(1, "sms");
    await until(() => service.asked.length);
    await until(async () => (await statusOf(world, body.id)).status === "scheduled");
    await world.advanceTo("2026-03-01T09:10:00Z");
    await until(async () => (await statusOf(world, body.id)).status === "sent");
    const keys = service.asked.map(({ headers }) => headers["idempotency-key"]);
    expect(keys).toEqual([body.id, body.id]);
    expect((await world.as("GET", "/v1/quotas")).body.sms.hour.used).toBe(2);
  });

  it("that does not know keys is not: a text that may have been sent ends, and is not sent twice", async () => {
    const service = await aService(() => "cut");
    const world = await worldWith(service.baseUrl);
    const { body } = await world.send(1, "sms");
    await until(async () => (await statusOf(world, body.id)).status === "uncertain");
    // There is no list to look for it in, so nobody asks a second time.
    await world.advanceTo("2026-03-01T09:00:15Z");
    await until(async () => (await statusOf(world, body.id)).ended_at !== null);
    await world.advanceTo("2026-03-01T09:30:00Z");
    await world.quiet();
    expect(service.asked).toHaveLength(1);
  });
});
