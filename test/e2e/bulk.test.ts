import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { aWorld, type World } from "../support/world.ts";

describe("a bulk request", () => {
  let world: World;
  beforeAll(async () => {
    world = await aWorld({ at: "2026-06-01T12:00:00Z" });
  });
  afterAll(() => world.stop());

  it("takes the good messages and reports the bad ones by their place", async () => {
    const messages = [
      world.bodyFor.email(0),
      { ...world.bodyFor.email(1), to: "a@example.net, b@example.net" },
      world.bodyFor.email(2),
    ];
    const { status, body } = await world.as("POST", "/v1/email/send/bulk", { messages });
    expect(status).toBe(202);
    expect(body).toMatchObject({ accepted: 2, rejected: 1 });
    expect(body.results[1].error.errors[0].field).toMatch(/to$/);
    await world.quiet();
    expect(world.ledger.map((entry) => entry.subject).toSorted()).toEqual(["Message 0", "Message 2"]);
    expect((await world.as("GET", `/v1/batches/${body.batch_id}`)).body).toMatchObject({ counts: { sent: 2 } });
  });

  it("fills a template with each recipient's variables, escaped in html and not in text", async () => {
    world.ledger.splice(0);
    const template = {
      from: "shop@example.com",
      subject: "Hello {{name}}",
      text: "Dear {{name}}",
      html: "<b>{{name}}</b>",
    };
    const recipients = [
      { to: "ann@example.net", variables: { name: "Ann <& Co>" } },
      { to: "bob@example.net", variables: { name: "Bob" } },
      { to: "eve@example.net", variables: {} },
    ];
    const { body } = await world.as("POST", "/v1/email/send/bulk", { template, recipients });
    expect(body).toMatchObject({ accepted: 2, rejected: 1 });
    await world.quiet();
    expect(world.ledger.map(({ to, subject, body: text }) => [to, subject, text?.trim()]).toSorted()).toEqual([
      ["ann@example.net", "Hello Ann <& Co>", "Dear Ann <& Co>"],
      ["bob@example.net", "Hello Bob", "Dear Bob"],
    ]);
  });

  it("takes 10,000 recipients in calls of at most 200 messages, and a canceled batch sends nothing more", async () => {
    world.ledger.splice(0);
    await world.call("POST", `/v1/accounts/${world.account.id}/channels/email/pause`);
    const template = { from: "shop@example.com", subject: "Hi {{n}}", text: "{{n}}" };
    const recipients = Array.from({ length: 10_000 }, (_, n) => ({
      to: `r${n}@example.net`,
      variables: { n: String(n) },
    }));
    const calls: number[] = [];
    const before = Number(
      (await world.core.commands.info("commandstats")).match(/cmdstat_evalsha:calls=(\d+)/)?.[1] ?? 0,
    );
    const { status, body } = await world.as("POST", "/v1/email/send/bulk", { template, recipients });
    const after = Number(
      (await world.core.commands.info("commandstats")).match(/cmdstat_evalsha:calls=(\d+)/)?.[1] ?? 0,
    );
    calls.push(after - before);
    expect(status).toBe(202);
    expect(body).toMatchObject({ accepted: 10_000, rejected: 0 });
    expect(new Set(body.results.map((result: { id: string }) => result.id)).size).toBe(10_000);
    // 50 chunks; other test files and this world's gate share the server.
    expect(calls[0]).toBeGreaterThanOrEqual(50);
    const first = await world.as("GET", `/v1/messages/${body.results[9_999].id}`);
    expect(first.body).toMatchObject({ status: "queued", held_by: "paused", estimated_send_at: null });
    const canceled = await world.as("DELETE", `/v1/batches/${body.batch_id}`);
    expect(canceled.body).toMatchObject({ canceled: 10_000 });
    await world.call("POST", `/v1/accounts/${world.account.id}/channels/email/resume`);
    await world.quiet();
    expect(world.ledger).toHaveLength(0);
  });

  it("makes one batch for a hundred requests with one Idempotency-Key", async () => {
    world.ledger.splice(0);
    const messages = [world.bodyFor.email(77), world.bodyFor.email(78)];
    const ask = () => world.as("POST", "/v1/email/send/bulk", { messages }, { "idempotency-key": "once" });
    const answers = await Promise.all(Array.from({ length: 100 }, ask));
    const statuses = answers.map((answer) => answer.status);
    expect(statuses.filter((status) => status !== 202 && status !== 409)).toEqual([]);
    const batches = new Set(answers.filter((answer) => answer.status === 202).map((answer) => answer.body.batch_id));
    expect(batches.size).toBe(1);
    await world.quiet();
    expect(world.ledger).toHaveLength(2);
  });
});

describe("a bulk that would rather not go than go late", () => {
  it("is refused from the first on that cannot go in time, with those before it in mind", async () => {
    const world = await aWorld({ at: "2026-06-01T12:00:00Z", quotas: { email: { hour: 2 } } });
    try {
      await world.send(0);
      await world.quiet();
      const picky = { expires_at: "2026-06-01T14:30:00Z", on_late: "reject" };
      const messages = Array.from({ length: 8 }, (_, n) =>
        world.bodyFor.email(n, n === 7 ? { expires_at: "2026-06-01T16:00:00Z", on_late: "reject" } : picky),
      );
      const { body } = await world.as("POST", "/v1/email/send/bulk", { messages });
      // One is left of this hour, and two of each to come; what is refused takes nobody's place.
      expect(body.results.map(({ error }: any) => error?.code ?? "accepted")).toEqual([
        ...Array(5).fill("accepted"),
        ...Array(2).fill("would_expire"),
        "accepted",
      ]);
    } finally {
      await world.stop();
    }
  });

  it("is refused behind one whose time is a moment past as well, since that goes at once", async () => {
    const world = await aWorld({ at: "2026-06-01T12:00:00Z", quotas: { email: { hour: 1 } } });
    try {
      const messages = [
        world.bodyFor.email(1, { send_at: "2026-06-01T11:59:30Z" }),
        world.bodyFor.email(2, { ttl: 60, on_late: "reject" }),
      ];
      const { body } = await world.as("POST", "/v1/email/send/bulk", { messages });
      expect(body.results.map(({ error }: any) => error?.code ?? "accepted")).toEqual(["accepted", "would_expire"]);
    } finally {
      await world.stop();
    }
  });

  it("is judged by its own sender's quota, of which another sender's messages need nothing", async () => {
    const world = await aWorld({ at: "2026-06-01T12:00:00Z", quotas: { email: { hour: 4 } } });
    try {
      const path = `/v1/accounts/${world.account.id}/senders/few%40example.com/quotas/email`;
      expect((await world.call("PUT", path, { hour: 1 })).status).toBe(200);
      const picky = { ttl: 60, on_late: "reject" };
      const few = { from: "few@example.com" };
      const messages = [
        world.bodyFor.email(1),
        world.bodyFor.email(2, { ...few, ...picky }),
        world.bodyFor.email(3, { ...few, ...picky }),
        world.bodyFor.email(4),
        world.bodyFor.email(5),
        world.bodyFor.email(6, picky),
      ];
      const { body } = await world.as("POST", "/v1/email/send/bulk", { messages });
      expect(body.results.map(({ error }: any) => error?.code ?? "accepted")).toEqual([
        ...Array(2).fill("accepted"),
        "would_expire",
        ...Array(2).fill("accepted"),
        "would_expire",
      ]);
      await world.quiet();
      expect(world.ledger).toHaveLength(4);
    } finally {
      await world.stop();
    }
  });
});
