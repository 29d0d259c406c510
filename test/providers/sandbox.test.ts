import { connect } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import twilio from "twilio";
import { milliseconds, seconds } from "../../src/domain/time.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { smtpProvider } from "../../src/providers/smtp.ts";
import { twilioProvider } from "../../src/providers/twilio.ts";
import type { Arrival } from "../../src/sandbox/arrival.ts";
import { MAGIC_ADDRESSES, MAGIC_NUMBERS } from "../../src/sandbox/magic.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { aCall, aMail, anSms, aWhatsApp, ID, PATIENCE, unhurried } from "../support/dispatches.ts";
import { until } from "../support/until.ts";

const arrivals: Arrival[] = [];
let record: (arrival: Arrival) => Promise<void>;
let sandbox: Sandbox;
let smtp: Provider;
let phone: Provider;

const keep = async (arrival: Arrival): Promise<void> => void arrivals.push(arrival);

beforeAll(async () => {
  const log = pino({ level: "silent" });
  sandbox = await startSandbox({ record: (arrival) => record(arrival), log, slowFor: milliseconds(50) });
  smtp = smtpProvider({ url: sandbox.smtpUrl, messageIdDomain: "sluice.example", timeout: seconds(20) });
  phone = twilioProvider({ ...sandbox.twilio, ...PATIENCE });
});
beforeEach(() => {
  arrivals.length = 0;
  record = keep;
});
afterAll(async () => {
  await smtp.close();
  await sandbox.close();
});

const onlyArrival = () => {
  expect(arrivals).toHaveLength(1);
  return arrivals[0];
};

describe("a mail to the sandbox", () => {
  it("reads back as it was sent", async () => {
    const text = "Grüße, 你好 👋\n.\n..two dots\n\nlast line";
    const outcome = await smtp.attempt(aMail("ann@example.com", { subject: "Überraschung 🎁", text }), unhurried());
    expect(outcome).toEqual({ kind: "sent", providerId: "" });
    const { received_at: at, ...rest } = onlyArrival() ?? { received_at: "" };
    expect(rest).toEqual({
      channel: "email",
      to: "ann@example.com",
      from: "shop@example.org",
      subject: "Überraschung 🎁",
      body: text,
      message_id: ID,
    });
    expect(at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it("with only HTML shows that", async () => {
    const mail = aMail();
    const { text: _, ...content } = mail.content as Record<string, string>;
    await smtp.attempt({ ...mail, content: { ...content, html: "<p>Hi</p>" } as typeof mail.content }, unhurried());
    expect(onlyArrival()?.body).toContain("<p>Hi</p>");
  });

  it("of a quarter of a megabyte arrives whole", async () => {
    const text = "0123456789 é\n".repeat(18_000).trimEnd();
    expect(await smtp.attempt(aMail(undefined, { text }), unhurried())).toMatchObject({ kind: "sent" });
    expect(onlyArrival()?.body).toBe(text);
  });

  it("is answered only when it has been written down, and put off when that fails", async () => {
    let written = false;
    record = async (arrival) => {
      await new Promise((later) => setImmediate(later));
      written = true;
      await keep(arrival);
    };
    await smtp.attempt(aMail(), unhurried());
    expect(written).toBe(true);
    record = () => Promise.reject(new Error("Redis is away"));
    expect(await smtp.attempt(aMail(), unhurried())).toMatchObject({ kind: "transient", called: true });
  });
});

describe("a magic address", () => {
  const expected: Record<string, object> = {
    "fail@sandbox.invalid": { kind: "permanent", suppress: true },
    "blocked@sandbox.invalid": { kind: "permanent" },
    "full@sandbox.invalid": { kind: "permanent" },
    "defer@sandbox.invalid": { kind: "transient", called: true },
    "busy@sandbox.invalid": { kind: "throttled", about: "sender", retryIn: seconds(5) },
    "overload@sandbox.invalid": { kind: "throttled", about: "channel", retryIn: seconds(5) },
    "slow@sandbox.invalid": { kind: "sent" },
    "lost@sandbox.invalid": { kind: "uncertain" },
  };
  it.each(MAGIC_ADDRESSES.map(({ to, does }) => [to, does] as const))("%s: %s", async (to) => {
    const outcome = await smtp.attempt(aMail(to), unhurried());
    expect(outcome).toMatchObject(expected[to] ?? { kind: "not described" });
    expect(arrivals).toHaveLength(["sent", "uncertain"].includes(outcome.kind) ? 1 : 0);
  });

  it("slow@sandbox.invalid keeps the sender waiting", async () => {
    const startedAt = performance.now();
    await smtp.attempt(aMail("slow@sandbox.invalid"), unhurried());
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(45);
  });
});

describe("a message to the sandbox's Twilio", () => {
  it.each([
    ["sms", anSms()],
    ["whatsapp", aWhatsApp()],
    ["voice", aCall()],
  ])("on %s reads back as it was sent", async (channel, message) => {
    expect(await phone.attempt(message, unhurried())).toEqual({
      kind: "sent",
      providerId: expect.stringMatching(channel === "voice" ? /^CA[0-9a-f]{32}$/ : /^SM[0-9a-f]{32}$/),
    });
    expect(onlyArrival()).toMatchObject({
      channel,
      to: "+9779812345678",
      from: "+15005550006",
      body: "It works.",
      message_id: ID,
    });
  });

  it("shows what a call says, whatever it says", async () => {
    const say = 'A & B </Say><Dial>+19005550100</Dial> ]]> "quoted" 👋';
    await phone.attempt(aCall(undefined, say), unhurried());
    expect(onlyArrival()?.body).toBe(say);
  });

  it("is answered only when it has been written down: otherwise it may have been sent", async () => {
    record = () => Promise.reject(new Error("Redis is away"));
    expect(await phone.attempt(anSms(), unhurried())).toMatchObject({ kind: "uncertain" });
  });

  it("can be found again by its numbers, and by its id, with Twilio's own SDK", async () => {
    const other = "+9779800000001";
    const sent = await phone.attempt(anSms(other), unhurried());
    await phone.attempt(anSms("+9779800000002"), unhurried());
    const listed = `/2010-04-01/Accounts/${sandbox.twilio.accountSid}/Messages.json?To=${encodeURIComponent(other)}`;
    const authorization = `Basic ${Buffer.from(`${sandbox.twilio.accountSid}:${sandbox.twilio.authToken}`).toString("base64")}`;
    const answer = await fetch(sandbox.twilio.baseUrl + listed, { headers: { authorization } });
    const { messages } = (await answer.json()) as { messages: { sid: string; to: string }[] };
    expect(messages.map(({ sid, to }) => [sid, to])).toEqual([[sent.kind === "sent" ? sent.providerId : "", other]]);
    // The SDK's own reading of it.
    const sdk = twilio(sandbox.twilio.accountSid, sandbox.twilio.authToken, {
      httpClient: {
        request: async ({ uri }: { uri: string }) => {
          const { pathname, search } = new URL(uri);
          const reply = await fetch(sandbox.twilio.baseUrl + pathname + search, { headers: { authorization } });
          return { statusCode: reply.status, body: await reply.text() };
        },
      } as never,
    });
    const fetched = await sdk.messages(messages[0]?.sid ?? "").fetch();
    expect(fetched).toMatchObject({ to: other, from: "+15005550006", body: "It works.", status: "queued" });
  });

  it("is refused with other credentials, and nothing is lost by it", async () => {
    const stranger = twilioProvider({ ...sandbox.twilio, ...PATIENCE, authToken: "guessed" });
    expect(await stranger.attempt(anSms(), unhurried())).toMatchObject({ kind: "transient", called: false });
    expect(arrivals).toHaveLength(0);
  });
});

describe("a magic number", () => {
  const expected: Record<string, object> = {
    "+15005550001": { kind: "permanent", suppress: true },
    "+15005550002": { kind: "permanent" },
    "+15005550003": { kind: "permanent" },
    "+15005550004": { kind: "permanent", suppress: true },
    "+15005550005": { kind: "uncertain" },
    "+15005550007": { kind: "throttled", about: "sender", retryIn: seconds(60) },
    "+15005550009": { kind: "throttled", about: "channel", retryIn: seconds(5) },
  };
  it.each(MAGIC_NUMBERS.map(({ to, does }) => [to, does] as const))("%s: %s", async (to) => {
    for (const message of [anSms(to), aWhatsApp(to), aCall(to)])
      expect(await phone.attempt(message, unhurried())).toMatchObject(expected[to] ?? { kind: "not described" });
    expect(arrivals).toHaveLength(0);
  });
});

it("closes at once, with a mail in the middle of being slow", async () => {
  const log = pino({ level: "silent" });
  const other = await startSandbox({ record: keep, log, slowFor: seconds(60) });
  const client = connect(Number(new URL(other.smtpUrl).port), "127.0.0.1");
  let said = "";
  client.on("data", (chunk) => (said += chunk.toString()));
  client.on("error", () => {});
  await until(() => said.includes("220 "));
  client.write("EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<slow@sandbox.invalid>\r\nDATA\r\n");
  await until(() => said.includes("354 "));
  client.write("Subject: slow\r\n\r\nhello\r\n.\r\n");
  const startedAt = performance.now();
  await other.close();
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  expect(arrivals).toHaveLength(0);
  client.destroy();
});
