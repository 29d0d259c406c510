import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createBulkReader } from "../../src/http/draft/bulk.ts";
import { ADMIN_KEY } from "../support/fake-services.ts";
import { at } from "../support/fake-state.ts";
import { textOf, anApi, anEmail, anSms, fieldsOf, type Answer, type Api } from "./api.ts";

let api: Api;
let key: string;
beforeAll(async () => {
  api = await anApi();
  ({ key } = await api.anAccount());
});
afterAll(() => api.close());

interface Refused {
  readonly code: string;
  readonly errors: readonly { field: string; expected: string }[];
}
type Result = { readonly id?: string; readonly status?: string; readonly error?: Refused };
const resultsOf = ({ body }: Answer): readonly Result[] => body["results"] as readonly Result[];
const bulk = (body: unknown, channel = "email"): Promise<Answer> =>
  api.ask("POST", `/v1/${channel}/send/bulk`, { key, body });
const template = { from: "Shop <shop@example.com>", subject: "For {{name}}", html: "<p>Dear {{name}}, {{ sum }}</p>" };

describe("messages in bulk", () => {
  it("are each judged alone, and reported in order", async () => {
    const before = api.world.drafts.length;
    const answer = await bulk({
      messages: [
        anEmail,
        { ...anEmail, to: "a@b.co,c@d.co" },
        { ...anEmail, subjekt: 1 },
        5,
        { ...anEmail, to: "bob@example.com" },
      ],
    });
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ accepted: 2, rejected: 3, batch_id: expect.stringMatching(/^bat_/) });
    const results = resultsOf(answer);
    expect(results.map(({ error }) => error?.errors[0]?.field)).toEqual([
      undefined,
      "to",
      "subjekt",
      "message",
      undefined,
    ]);
    expect(results[0]).toEqual({ id: expect.stringMatching(/^msg_/), status: "queued" });
    expect(api.world.drafts.slice(before).map(({ recipient }) => recipient)).toEqual([
      "ann@example.com",
      "bob@example.com",
    ]);
    const batch = await api.ask("GET", `/v1/batches/${textOf(answer, "batch_id")}`, { key });
    expect(batch.body).toMatchObject({ total: 2, counts: { queued: 2 } });
  });

  it("of which one is over 256 KB loses that one only", async () => {
    const large = { ...anEmail, text: "a".repeat(200_000), html: "b".repeat(100_000) };
    const answer = await bulk({ messages: [anEmail, large] });
    expect(resultsOf(answer).map(({ error }) => error?.code)).toEqual([undefined, "payload_too_large"]);
  });

  it("may come to megabytes in all, and not to more than 16", async () => {
    const messages = Array.from({ length: 20 }, () => ({ ...anEmail, text: "a".repeat(200_000) }));
    expect((await bulk({ messages })).body["accepted"]).toBe(20);
    const small = await anApi({}, { bulkBodyLimit: 1_024 });
    const account = await small.anAccount();
    const tooMuch = await small.ask("POST", "/v1/email/send/bulk", {
      key: account.key,
      body: { messages: [{ ...anEmail, text: "a".repeat(2_000) }] },
    });
    expect([tooMuch.status, tooMuch.body["code"]]).toEqual([413, "payload_too_large"]);
    await small.close();
  });

  it("that would be late are refused by themselves", async () => {
    api.world.estimate = at("2026-03-01T06:00:00Z");
    const picky = { ...anEmail, on_late: "reject", expires_at: "2026-03-01T05:00:00Z" };
    const answer = await bulk({
      messages: [picky, { ...picky, on_late: "accept" }, { ...picky, expires_at: "2026-03-01T07:00:00Z" }],
    });
    expect(resultsOf(answer).map(({ error }) => error?.code)).toEqual(["would_expire", undefined, undefined]);
  });

  it("may all be wrong: the request itself is not", async () => {
    const answer = await bulk({ messages: [{}, {}] });
    expect([answer.status, answer.body["accepted"], answer.body["rejected"]]).toEqual([202, 0, 2]);
  });
});

describe("a template in bulk", () => {
  it("is stored once, and each recipient with its variables", async () => {
    const before = api.world.drafts.length;
    const recipients = [
      { to: "ann@example.com", variables: { name: "Ann", sum: "5" }, reference: "r-1" },
      { to: "BOB@Example.com", variables: { name: "Bob <b>", sum: "6", more: "unused" } },
    ];
    const answer = await bulk({ template, recipients, priority: "low", ttl: 3_600 });
    expect(answer.body).toMatchObject({ accepted: 2, rejected: 0 });
    expect(api.world.batches.at(-1)).toEqual({ channel: "email", template });
    const drafts = api.world.drafts.slice(before);
    expect(drafts[0]).toEqual({
      channel: "email",
      sender: "shop@example.com",
      recipient: "ann@example.com",
      content: { to: "ann@example.com", variables: { name: "Ann", sum: "5" } },
      class: "low",
      reference: "r-1",
      expiresAt: at("2026-03-01T05:29:00Z"),
    });
    expect(drafts[1]?.recipient).toBe("BOB@example.com");
  });

  it("refuses the recipient whose variable is missing, would break a header, or would make too much", async () => {
    const answer = await bulk({
      template: { ...template, text: "{{name}}".repeat(100) },
      recipients: [
        { to: "ann@example.com", variables: { name: "Ann" } },
        { to: "ann@example.com", variables: { name: "Ann\r\nBcc: b@example.com", sum: "5" } },
        { to: "ann@example.com", variables: { name: "a".repeat(10_000), sum: "5" } },
        { to: "ann@example.com", variables: { name: 5, sum: "5" } },
        { to: "ann@example.com", variables: { name: "\0", sum: "5" } },
        { to: "ann@example.com" },
        { to: "nobody", variables: { name: "Ann", sum: "5" } },
        { to: "ann@example.com", variables: { name: "Ann", sum: "5" } },
      ],
    });
    expect(resultsOf(answer).map(({ error }) => error?.errors.map(({ field }) => field) ?? [])).toEqual([
      ["variables.sum"],
      ["variables.name"],
      ["variables", "variables"],
      ["variables.name"],
      ["variables.name"],
      ["variables.name", "variables.sum"],
      ["to"],
      [],
    ]);
  });

  it("is refused whole for what another engine would fill in and nobody here does", async () => {
    const foreign = {
      from: "{{shop}} <shop@example.com>",
      subject: "For {{first.name}}",
      text: "{{#if sum}}{{sum}}{{/if}}",
      html: "<p>{{{name}}} {{ name }}</p>",
      headers: { "X-Campaign": "{{name}}" },
    };
    const answer = await bulk({
      template: foreign,
      recipients: [{ to: "ann@example.com", variables: { name: "Ann" } }],
    });
    expect(answer.status).toBe(422);
    const errors = answer.body["errors"] as { field: string; got: string }[];
    expect(errors.map(({ field, got }) => [field, got])).toEqual([
      ["template.subject", '"{{first.name}}"'],
      ["template.text", '"{{#if sum}}{{sum}}{{/if}}"'],
      ["template.html", '"{{{name}}} {{ name }}</p>"'],
      ["template.from", '"{{shop}} <shop@example.com>"'],
      ["template.headers.X-Campaign", '"{{name}}"'],
    ]);
    const text = await bulk({ template: { body: "Code {{ }}" }, recipients: [{ to: anSms.to }] }, "sms");
    expect([text.status, text.body["errors"]]).toEqual([422, [expect.objectContaining({ field: "template.body" })]]);
  });

  it("may hold other braces: those of a style sheet, and what a variable brings in", async () => {
    const html = "<style>@media print{p{color:red}}</style><p>{name} {{name}}</p>";
    const recipients = [{ to: "ann@example.com", variables: { name: "{{first.name}}", sum: "5" } }];
    const answer = await bulk({ template: { ...template, html }, recipients });
    expect(answer.body).toMatchObject({ accepted: 1 });
  });

  it("works for texts, from the sender that is configured", async () => {
    const answer = await bulk(
      {
        template: { body: "Code {{code}}" },
        recipients: [
          { to: anSms.to, variables: { code: "1" } },
          { to: anSms.to, variables: { code: "1".repeat(1_600) } },
        ],
      },
      "sms",
    );
    expect(resultsOf(answer).map(({ error }) => error?.errors[0]?.expected)).toEqual([
      undefined,
      "a body of at most 1600 characters when they are filled in",
    ]);
    expect(api.world.drafts.at(-1)).toMatchObject({ sender: "+15005550006", channel: "sms" });
    expect(api.world.batches.at(-1)).toEqual({ channel: "sms", template: { body: "Code {{code}}" } });
  });

  it("of 10,000 recipients is taken whole", async () => {
    const recipients = Array.from({ length: 10_000 }, (_, i) => ({
      to: `user${i}@example.com`,
      variables: { name: "Ann", sum: "5" },
    }));
    expect((await bulk({ template, recipients })).body["accepted"]).toBe(10_000);
  });

  it("is refused when no two recipients name the same variables: to read it would hold up everybody", async () => {
    const variables = (n: number) => Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`v${n}_${i}`, ""]));
    const recipients = Array.from({ length: 1_001 }, (_, n) => ({
      to: `user${n}@example.com`,
      variables: variables(n),
    }));
    const answer = await bulk({ template, recipients });
    expect([answer.status, answer.body["code"]]).toEqual([400, "malformed_request"]);
    expect(answer.body["detail"]).toContain("at most 100000 fields");
  });

  it("lets others have their turn after each 10 ms of reading", async () => {
    const slow = (n: number) => ({
      get to(): string {
        const since = performance.now();
        while (performance.now() - since < 11);
        return `user${n}@example.com`;
      },
      variables: { name: "Ann", sum: "5" },
    });
    const recipients = Array.from({ length: 6 }, (_, n) => slow(n));
    let turns = 0;
    let isDone = false;
    const others = (): void => {
      turns++;
      if (!isDone) setImmediate(others);
    };
    setImmediate(others);
    const drafting = {
      now: at("2026-03-01T00:00:00Z"),
      setup: { configured: true, variable: "SMTP_URL", defaultFrom: null },
    };
    const { results } = await createBulkReader("email")({ template, recipients }, drafting, false);
    isDone = true;
    expect(results.filter((result) => "draft" in result)).toHaveLength(recipients.length);
    // Between one and the next.
    expect(turns).toBeGreaterThanOrEqual(recipients.length - 1);
  });
});

describe("a bulk request as a whole", () => {
  const recipients = [{ to: "ann@example.com", variables: { name: "Ann", sum: "5" } }];
  it.each([
    ["nothing", {}, "messages"],
    ["no messages", { messages: [] }, "messages"],
    ["1,001 messages", { messages: Array.from({ length: 1_001 }, () => 1) }, "messages"],
    ["messages that are no list", { messages: anEmail }, "messages"],
    ["both forms", { messages: [anEmail], template, recipients }, "messages"],
    ["a template without recipients", { template }, "recipients"],
    ["no recipients", { template, recipients: [] }, "recipients"],
    ["10,001 recipients", { template, recipients: Array.from({ length: 10_001 }, () => 1) }, "recipients"],
    ["recipients without a template", { recipients }, "messages"],
    ["a template without a sender", { template: { ...template, from: undefined }, recipients }, "template.from"],
    ["a template with a bad sender", { template: { ...template, from: "nobody" }, recipients }, "template.from"],
    ["a template with a line break", { template: { ...template, subject: "a\r\nb" }, recipients }, "template.subject"],
    ["a template that sets To", { template: { ...template, headers: { To: "x" } }, recipients }, "template.headers.To"],
    ["a template that is none", { template: 5, recipients }, "template"],
    ["a bad time beside the template", { template, recipients, send_at: "tomorrow" }, "send_at"],
    ["a time beside messages", { messages: [anEmail], ttl: 60 }, "ttl"],
    ["an unknown field", { messages: [anEmail], urgent: true }, "urgent"],
  ])("is refused with %s", async (_what, body, field) => {
    const answer = await bulk(body);
    expect([answer.status, answer.body["code"]]).toEqual([422, "invalid_request"]);
    expect(fieldsOf(answer)).toContain(field);
  });

  it("is refused where the channel has no provider, and where nobody knows such a bulk", async () => {
    expect((await bulk({ messages: [anSms] }, "whatsapp")).body["code"]).toBe("channel_not_configured");
    expect((await bulk({ messages: [anSms] }, "voice")).status).toBe(404);
    expect(
      (await api.ask("POST", "/v1/email/send/bulk", { key: ADMIN_KEY, body: { messages: [anEmail] } })).status,
    ).toBe(403);
  });
});
