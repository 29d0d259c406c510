import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { anApi, errorsOf, fieldsOf, refused, anEmail, anSms, type Api, type Answer } from "./api.ts";

let api: Api;
let key: string;
let account: string;
beforeAll(async () => {
  api = await anApi();
  ({ key, id: account } = await api.anAccount());
});
afterAll(() => api.close());

const email = (change: object): Promise<Answer> =>
  api.ask("POST", "/v1/email/send", { key, body: { ...anEmail, ...change } });
const sms = (change: object): Promise<Answer> =>
  api.ask("POST", "/v1/sms/send", { key, body: { ...anSms, ...change } });

const wrong = (asked: () => Promise<Answer>, field: string): Promise<Answer> =>
  refused(api, asked, 422, "invalid_request", field);

describe("accounts", () => {
  it.each(["PST", "Nowhere/Town", "asia/kathmandu", "+05:45", "", "EST5EDT; DROP"])(
    "refuses the time zone %j, naming the field",
    (timezone) => wrong(() => api.operate("POST", "/v1/accounts", { name: "Test", timezone }), "timezone"),
  );

  it.each(["keys", "senders"])("has a list of %s that always comes whole, and refuses to be asked for a part", (list) =>
    wrong(() => api.operate("GET", `/v1/accounts/${account}/${list}?limit=1`), "limit"),
  );

  it.each([-1, 1.5, 2_592_000_000_001, 1e300, "5", true, [5]])("refuses the quota %j", async (hour) => {
    const inAccount = { name: "Test", timezone: "UTC", quotas: { email: { hour } } };
    await wrong(() => api.operate("POST", "/v1/accounts", inAccount), "quotas.email.hour");
    await wrong(() => api.operate("PUT", `/v1/accounts/${account}/quotas/email`, { hour }), "hour");
  });

  it.each([
    ["plan", { plan: "platinum" }],
    ["weight", { weight: 0 }],
    ["weight", { weight: 101 }],
    ["on_uncertain.voice", { on_uncertain: { voice: "resend" } }],
    ["quotas.fax", { quotas: { fax: { hour: 1 } } }],
    ["quotas.email.week", { quotas: { email: { week: 1 } } }],
    ["status", { status: "removing" }],
    ["name", { name: "two\r\nlines" }],
  ])("refuses a wrong %s", (field, change) =>
    wrong(() => api.operate("POST", "/v1/accounts", { name: "Test", timezone: "UTC", ...change }), field),
  );

  it("refuses a change that changes nothing", () =>
    wrong(() => api.operate("PATCH", `/v1/accounts/${account}`, {}), "body"));

  it("names every field that is missing", async () => {
    const answer = await wrong(() => api.operate("POST", "/v1/accounts", {}), "name");
    expect(fieldsOf(answer)).toEqual(["name", "timezone"]);
  });

  it.each(["fast", "0/s", "1/fortnight", "-1/s", "1e9/s"])("refuses the rate %j", (rate) =>
    wrong(() => api.operate("PUT", `/v1/accounts/${account}/senders/a@b.co/quotas/email`, { rate }), "rate"),
  );

  it("refuses a sender that is no address of the channel", async () => {
    await wrong(() => api.operate("PUT", `/v1/accounts/${account}/senders/nobody/quotas/email`, {}), "sender");
    await wrong(() => api.operate("PUT", `/v1/accounts/${account}/senders/a@b.co/quotas/sms`, {}), "sender");
  });

  it("refuses a channel that nobody knows", () =>
    wrong(() => api.operate("PUT", `/v1/accounts/${account}/quotas/fax`, {}), "channel"));

  it.each([{ minute: 0 }, { hour: -1 }, { day: 5 }])("refuses the API limit %j", async (api_limit) => {
    const answer = await api.operate("POST", `/v1/accounts/${account}/keys`, { api_limit });
    expect(answer.status).toBe(422);
    expect(fieldsOf(answer)[0]).toMatch(/^api_limit\./);
  });
});

describe("addresses", () => {
  it.each([
    ["two addresses", "a@example.com, b@example.com"],
    ["two addresses without a space", "a@example.com,b@example.com"],
    ["255 characters", `a@${"b".repeat(249)}.com`],
    ["a line break", "a@example.com\r\nBcc: b@example.com"],
    ["a display name", "Ann <ann@example.com>"],
    ["no domain", "ann"],
    ["nothing", ""],
    ["a number", 5],
    ["a list", ["a@example.com"]],
  ])("refuses an email to %s", (_what, to) => wrong(() => email({ to }), "to"));

  it.each([
    ["other scripts' digits", "+９７７９８１２３４５６７８"],
    ["Arabic digits", "+٩٧٧٩٨١٢٣٤٥٦٧٨"],
    ["no plus", "9779812345678"],
    ["two numbers", "+9779812345678,+9779812345679"],
    ["spaces", "+977 981 2345678"],
    ["an extension", "+9779812345678x5"],
    ["sixteen digits", "+9779812345678901"],
  ])("refuses an SMS to %s", (_what, to) => wrong(() => sms({ to }), "to"));

  it.each(["a@example.com, b@example.com", "Ann <a@example.com>\r\nBcc: b@example.com", "Ann <not>", ""])(
    "refuses to send as %j",
    (from) => wrong(() => email({ from }), "from"),
  );

  it("asks for a sender where none is configured", () =>
    wrong(() => api.ask("POST", "/v1/voice/call", { key, body: { to: anSms.to, say: "Hello" } }), "from"));
});

describe("texts", () => {
  it.each([
    ["a lone surrogate", "\ud800"],
    ["a NUL", "a\0b"],
  ])("refuses %s in every text", async (_what, text) => {
    await wrong(() => email({ text }), "text");
    await wrong(() => email({ html: text }), "html");
    await wrong(() => email({ subject: text }), "subject");
    await wrong(() => email({ reference: text }), "reference");
    await wrong(() => email({ metadata: { deep: [{ er: text }] } }), "metadata.deep[0].er");
    await wrong(() => email({ metadata: { [text]: 1 } }), "metadata");
    await wrong(() => sms({ body: text }), "body");
  });

  it.each(["\r\nBcc: b@example.com", "\n", "\r", "\u2028", "\u0007"])(
    "refuses %j in whatever is a header",
    async (break_) => {
      await wrong(() => email({ subject: `Hello${break_}` }), "subject");
      await wrong(() => email({ reply_to: `a@example.com${break_}` }), "reply_to");
      await wrong(() => email({ headers: { "X-Campaign": `a${break_}` } }), "headers.X-Campaign");
      expect((await email({ headers: { [`X-${break_}A`]: "a" } })).status).toBe(422);
    },
  );

  it.each([
    "Bcc",
    "to",
    "From",
    "Message-ID",
    "Date",
    "Content-Type",
    "Resent-To",
    "DKIM-Signature",
    "X-Sluice-Id",
    "a:b",
    "a b",
    "",
  ])("refuses to let a caller write the header %j", (name) =>
    wrong(() => email({ headers: { [name]: "a@example.com" } }), `headers.${name}`),
  );

  it("refuses a mail with neither text nor html", () => wrong(() => email({ text: "" }), "text"));

  it.each([
    ["body", () => sms({ body: "a".repeat(1_601) })],
    ["subject", () => email({ subject: "a".repeat(999) })],
    ["reference", () => email({ reference: "a".repeat(256) })],
    ["metadata", () => email({ metadata: { a: "b".repeat(4_097) } })],
    [
      "language",
      () => api.ask("POST", "/v1/voice/call", { key, body: { to: anSms.to, say: "Hi", language: "<Dial>" } }),
    ],
  ])("refuses a %s of another size or form", (field, asked) => wrong(asked, field));
});

describe("times", () => {
  // The world's clock stands at 2026-03-01T04:29:00Z.
  it.each([
    ["no offset", "2026-03-01T10:00:00"],
    ["no time", "2026-03-02"],
    ["30 February", "2026-02-30T10:00:00Z"],
    ["words", "tomorrow"],
    ["61 s past", "2026-03-01T04:27:59Z"],
    ["more than a year ahead", "2027-03-03T00:00:00Z"],
  ])("refuses a send_at with %s", (_what, send_at) => wrong(() => email({ send_at }), "send_at"));

  it("says what a time must look like", async () => {
    const answer = await wrong(() => email({ send_at: "2026-03-01T10:00:00" }), "send_at");
    expect(errorsOf(answer)[0]?.expected).toMatch(/RFC 3339 with an offset/);
  });

  it("says of a year out of reach that it is the year", async () => {
    const answer = await wrong(() => email({ expires_at: "9999-12-31T23:59:59Z" }), "expires_at");
    expect(errorsOf(answer)[0]?.expected).toBe("a time of the years 1970 to 2100");
  });

  it.each([
    [{ expires_at: "2026-03-01T04:28:59Z" }, "expires_at"],
    [{ expires_at: "2026-03-01T05:00:00" }, "expires_at"],
    [{ send_at: "2026-03-01T06:00:00Z", expires_at: "2026-03-01T05:59:59Z" }, "expires_at"],
    [{ send_at: "2026-03-01T06:00:00Z", expires_at: "2026-03-01T06:00:00Z" }, "expires_at"],
    [{ ttl: 60, expires_at: "2026-03-01T05:00:00Z" }, "ttl"],
    [{ ttl: 0 }, "ttl"],
    [{ ttl: 1.5 }, "ttl"],
    [{ ttl: "60" }, "ttl"],
  ])("refuses %j", (change, field) => wrong(() => email(change), field));

  it("takes a send_at of a minute ago, for a clock that is a little behind", async () => {
    expect((await email({ send_at: "2026-03-01T04:28:00Z" })).status).toBe(202);
  });
});
