/**
 * Five hundred messages with a mark in everything that is a person's, and marks in every secret, through success and every
 * way to go wrong, against providers that quote all they are given. Then no line of the log at its most talkative level, no
 * metric, no answer to anybody else and nothing of BullMQ's holds a mark.
 */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { IncomingMessage, ServerResponse } from "node:http";
import { keysIn } from "../support/cell-keys.ts";
import { keptLog } from "../support/log-lines.ts";
import { ownRedis, type OwnRedis } from "../support/own-redis.ts";
import { DROP, scriptedSmtp, type ScriptedSmtp, type Step } from "../support/scripted-smtp.ts";
import { scriptedHttp, type ScriptedHttp } from "../support/scripted-http.ts";
import { until } from "../support/until.ts";
import { startWorkerProcess } from "../support/worker-processes.ts";
import { aWorld, type Answer, type World } from "../support/world.ts";
import { changeRow } from "../support/rows.ts";

/** In all that is a person's. A digit in it, as in a code or a name of an account. */
const MARK = "zqmark7";
const NUMBER = "+1415555";
const SMTP_USER = "mailer7user";
const SMTP_PASSWORD = "s3cretMailPassword";

/** What becomes of a mail, by its recipient: said at RCPT, or at the dot. Each quotes what it can. */
const AT_RCPT: Readonly<Record<string, (who: string) => Step>> = {
  nobody: (who) => `550-5.1.1 <${who}>: recipient ${who.split("@")[0]} rejected\n550 5.1.1 user unknown: ${who}`,
  policy: (who) => `550 5.7.1 ${who} is not to have mail with ${MARK} in it`,
  later: (who) => `451 4.3.0 ${who}: local error`,
  slow: (who) => `450 4.7.28 ${who} rate limit exceeded, try again in 5 seconds`,
  many: () => `421 4.7.0 too many connections, try again in 5 seconds`,
  reset: () => DROP,
  garbage: (who) => `what do you mean by ${who}?`,
};
const AT_DOT: Readonly<Record<string, (message: string) => Step>> = {
  spam: (message) => `554 5.7.1 looks like spam: ${/^Subject: (.*)$/m.exec(message)?.[1]?.trim()}`,
  quoting: (message) => `452 4.5.3 not now: ${message.slice(-60).replaceAll(/\s+/g, " ")}`,
  lost: () => DROP,
  mumbling: (message) => `999 ${message.slice(-40).replaceAll(/\s+/g, " ")}`,
};
const MAIL_TROUBLES = [...Object.keys(AT_RCPT), ...Object.keys(AT_DOT)];

const scripted = async () => {
  const server: ScriptedSmtp = await scriptedSmtp((moment) => {
    if (moment === "ehlo") return "250-scripted\n250-8BITMIME\n250 AUTH PLAIN LOGIN";
    if (moment === "rcpt") {
      const who = /<(.*)>/.exec(server.heard.at(-1) ?? "")?.[1] ?? "";
      return AT_RCPT[/\.(\w+)@/.exec(who)?.[1] ?? ""]?.(who);
    }
    const message = server.messages.at(-1) ?? "";
    return moment === "dot" ? AT_DOT[/^To: .*\.(\w+)@/m.exec(message)?.[1] ?? ""]?.(message) : undefined;
  });
  return server;
};

/** By the last digits of the number: Twilio on bad days, and what is not Twilio. */
const PHONE_TROUBLES: Readonly<Record<string, (form: URLSearchParams, response: ServerResponse) => void>> = {
  "0001": (form, to) => json(to, 400, { code: 21211, message: `The 'To' number ${form.get("To")} is not valid.` }),
  "0002": (form, to) =>
    json(to, 400, { code: 99999, message: `We do not like "${textIn(form)}" to ${form.get("To")}` }),
  "0003": (form, to) => json(to, 429, { code: 20429, message: textIn(form) }, { "Retry-After": "5" }),
  "0004": (form, to) => json(to, 500, { code: 20500, message: textIn(form) }),
  "0005": (form, to) => void to.writeHead(502).end(`<html>${textIn(form)}</html>`),
  "0006": (_form, to) => void to.destroy(),
  "0007": (form, to) => void to.writeHead(201).end(`{"sid": "${textIn(form)}`),
  "0008": (form, to) => json(to, 401, { code: 20003, message: `Authenticate: ${form.get("From")}` }),
};
const json = (response: ServerResponse, status: number, body: object, headers = {}): void =>
  void response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
const textIn = (form: URLSearchParams): string => form.get("Body") ?? form.get("Twiml") ?? "";

const COUNT = 500;
const CHANNELS = ["email", "email", "email", "email", "sms", "whatsapp", "voice"] as const;

let redis: OwnRedis;
let smtp: ScriptedSmtp;
let twilio: ScriptedHttp;
let world: World;
const kept = keptLog("trace");
const ids: string[] = [];
/** To anybody but the account itself, and to the account where it asked nonsense. */
const answers: Answer[] = [];

beforeAll(async () => {
  redis = await ownRedis();
  smtp = await scripted();
  twilio = await scriptedHttp((_request: IncomingMessage, response) => {
    const form = twilio.heard.at(-1)?.form ?? new URLSearchParams();
    const trouble = PHONE_TROUBLES[(form.get("To") ?? "").slice(-4)];
    if (trouble === undefined) json(response, 201, { sid: `SM${"0".repeat(31)}1`, body: textIn(form) });
    else trouble(form, response);
  });
  world = await aWorld({
    redis,
    log: kept.log,
    smtpUrl: () => smtp.url.replace("smtp://", `smtp://${SMTP_USER}:${SMTP_PASSWORD}@`),
    twilioUrl: twilio.baseUrl,
  });
});
afterAll(async () => {
  await world.stop();
  await twilio.close();
  await smtp.close();
  await redis.close();
});

const mail = (n: number, trouble = "fine") => ({
  from: `${MARK} the shop <${MARK}.${n}@example.com>`,
  to: `${MARK}.${n}.${trouble}@example.net`,
  subject: `${MARK} subject ${n}`,
  text: `Dear ${MARK}, your code is ${MARK}x${n}.`,
  html: `<p>${MARK}</p>`,
  reply_to: `${MARK}@example.org`,
  headers: { "X-Campaign": MARK },
  reference: `${MARK}-${n}`,
  metadata: { [MARK]: MARK },
});
const textTo = (n: number, end: string, field: "body" | "say") => ({
  to: `${NUMBER}${end}`,
  [field]: `Dear ${MARK}, your code is ${MARK}x${n}.`,
  reference: `${MARK}-${n}`,
  metadata: { [MARK]: MARK },
});

const accepted = (answer: Answer): string => {
  if (answer.status !== 202) throw new Error(`expected 202: ${JSON.stringify(answer.body)}`);
  ids.push(answer.body.id);
  return answer.body.id as string;
};

/** Told to slow down, for ever: they would keep the channel shut for whatever comes after. */
const slowed: string[] = [];

const send = async (n: number): Promise<void> => {
  const channel = CHANNELS[n % CHANNELS.length] ?? "email";
  // Two of three go well; of the others every trouble has its turn.
  const goesWell = n % 3 !== 0;
  const key = { "Idempotency-Key": `${MARK}-${n}` };
  if (channel === "email") {
    const trouble = goesWell ? "fine" : MAIL_TROUBLES[(n / 3) % MAIL_TROUBLES.length];
    const id = accepted(await world.as("POST", "/v1/email/send", mail(n, trouble), key));
    if (trouble === "many" || trouble === "slow") slowed.push(id);
    return;
  }
  const ends = Object.keys(PHONE_TROUBLES);
  const end = goesWell ? String(1_000 + n) : (ends[(n / 3) % ends.length] ?? "");
  accepted(await world.as("POST", world.pathFor[channel], textTo(n, end, channel === "voice" ? "say" : "body"), key));
};

const manyAtOnce = async <T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> => {
  for (let at = 0; at < items.length; at += 25) await Promise.all(items.slice(at, at + 25).map(act));
};

const settled = () =>
  until(async () => (await world.depths()).inFlight === 0, { what: "nothing is in flight", within: 60_000 });
const minutes = async (count: number): Promise<void> => {
  for (let minute = 0; minute < count; minute++) {
    await world.advanceTo(world.now() + 60_000);
    await until(async () => (await world.depths()).due === 0, { what: "what is due is looked at" });
    await settled();
  }
};

const everyEnd = async (): Promise<void> => {
  // Canceled, expired, suppressed: none of them ever leaves.
  const later = { send_at: "2026-03-01T11:00:00Z" };
  const canceled = accepted(await world.as("POST", "/v1/email/send", { ...mail(COUNT), ...later }));
  expect((await world.as("DELETE", `/v1/messages/${canceled}`)).body.status).toBe("canceled");
  await world.call("POST", `/v1/accounts/${world.account.id}/channels/voice/pause`);
  accepted(await world.as("POST", "/v1/voice/call", { ...textTo(1, "1234", "say"), ttl: 30 }));
  await world.as("POST", "/v1/suppressions", { channel: "email", address: mail(1, "never").to, reason: MARK });
  accepted(await world.as("POST", "/v1/email/send", mail(1, "never")));
  await minutes(1);
  await world.call("POST", `/v1/accounts/${world.account.id}/channels/voice/resume`);
  const template = { from: mail(0).from, subject: `${MARK} {{name}}`, text: "{{name}}" };
  const recipients = [mail(7).to, mail(8, "spam").to, MARK].map((to) => ({ to, variables: { name: MARK } }));
  const bulk = await world.as("POST", "/v1/email/send/bulk", { template, recipients });
  expect(bulk.body).toMatchObject({ accepted: 2, rejected: 1 });
  await minutes(2);
};

/** One message kills its worker in the middle of it, and is said to have killed two before. */
const poisoned = async (): Promise<void> => {
  for (const id of slowed) await world.as("DELETE", `/v1/messages/${id}`);
  await minutes(2);
  await world.stopWorkers();
  const id = accepted(await world.as("POST", "/v1/email/send", mail(9, "poison")));
  const status = async (): Promise<string> => (await world.as("GET", `/v1/messages/${id}`)).body.status;
  // It may die of another's retry first: then the next one takes ours.
  for (let died = 0; died < 5 && (await status()) !== "sending"; died++) {
    const worker = await startWorkerProcess(world, { env: { SLUICE_FAULTPOINT: "worker.begun:1" } });
    await until(() => worker.child.signalCode !== null, { what: "a worker to die", within: 30_000 });
  }
  await changeRow(world.core.commands, world.core.keys.state(id), { deaths: 2 });
  await world.startWorker();
  await world.advanceTo(world.now() + 30_000);
  await until(async () => (await status()) === "failed", { what: "it is set aside", within: 30_000 });
  await settled();
};

const nonsense = async (): Promise<void> => {
  const bad = (method: string, path: string, body?: unknown, key = world.account.key) =>
    world.call(method, path, body, key).then((answer) => answers.push(answer));
  await bad("POST", "/v1/email/send", { ...mail(1), to: `${MARK} is no address` });
  await bad("POST", "/v1/email/send", { ...mail(1), [MARK]: MARK });
  await bad("POST", "/v1/email/send", `{"to": "${MARK}`);
  await bad("POST", "/v1/email/send", `{"${MARK}": 1, "${MARK}": 2}`);
  await bad("POST", "/v1/email/send", { ...mail(1), text: MARK.repeat(40_000) });
  await bad("POST", "/v1/sms/send", { to: MARK, body: MARK });
  await bad("POST", "/v1/voice/call", { to: `${NUMBER}1000`, say: MARK, voice: `<${MARK}>` });
  await bad("GET", `/v1/messages?reference=${MARK}&limit=x`);
  await bad("GET", `/v1/messages?cursor=${MARK}`);
  await bad("GET", `/${MARK}/${MARK}@example.net?to=${MARK}`);
  await bad("GET", `/v1/messages/%zz${MARK}`);
  await bad("DELETE", `/v1/suppressions?channel=email&address=${MARK}%40example.org`);
  await bad("GET", "/v1/quotas", undefined, `sk_${MARK}`);
  await bad(
    "PUT",
    `/v1/accounts/${world.account.id}/senders/${MARK}%40example.com/quotas/email`,
    { hour: -1 },
    world.config.adminKey ?? "",
  );
  expect(answers.map(({ status }) => status).filter((status) => status < 400 || status >= 500)).toEqual([]);
};

const withoutRedis = async (): Promise<void> => {
  await redis.leave();
  for (const [n, channel] of [...CHANNELS, "email" as const].entries())
    answers.push(
      channel === "email"
        ? await world.as("POST", "/v1/email/send", mail(n))
        : await world.as("POST", world.pathFor[channel], textTo(n, "1000", channel === "voice" ? "say" : "body")),
    );
  expect(answers.at(-1)?.status).toBe(503);
  await redis.back();
  await until(async () => (await world.send(1)).status === 202, { what: "Redis to be back", within: 30_000 });
};

const jobs = async (): Promise<string> => {
  const { commands, keys } = world.core;
  const texts: string[] = [];
  for (const { name } of await keysIn(world)) {
    if (!name.startsWith("bull")) continue;
    const key = keys.cell + name;
    texts.push(name);
    const type = await commands.type(key);
    if (type === "hash") texts.push(JSON.stringify(await commands.hgetall(key)));
    if (type === "stream") texts.push(JSON.stringify(await commands.xrange(key, "-", "+")));
    if (type === "list") texts.push(JSON.stringify(await commands.lrange(key, 0, -1)));
    if (type === "string") texts.push((await commands.get(key)) ?? "");
  }
  return texts.join("\n");
};

const leaks = (text: string): readonly string[] => {
  const { account, config } = world;
  const secrets = [
    SMTP_PASSWORD,
    account.key,
    account.key.slice(-20),
    config.twilio?.authToken ?? "",
    config.adminKey ?? "",
  ];
  const encoded = [SMTP_PASSWORD, config.twilio?.authToken ?? ""].map((secret) =>
    Buffer.from(secret).toString("base64").slice(0, 16),
  );
  const marks = [MARK, NUMBER, encodeURIComponent(NUMBER), ...secrets, ...encoded];
  return text.split("\n").filter((line) => marks.some((mark) => line.includes(mark)));
};

describe(`${COUNT} marked messages`, () => {
  it("come to every end there is", async () => {
    await manyAtOnce(
      Array.from({ length: COUNT }, (_, n) => n),
      send,
    );
    await settled();
    await minutes(6);
    await everyEnd();
    await poisoned();
    await nonsense();
    await withoutRedis();
    const statuses = new Map<string, number>();
    const outcomes = new Set<string>();
    await manyAtOnce(ids, async (id) => {
      const { body } = await world.as("GET", `/v1/messages/${id}`);
      statuses.set(body.status, (statuses.get(body.status) ?? 0) + 1);
      for (const attempt of body.attempts) outcomes.add(attempt.outcome);
    });
    for (const end of ["sent", "failed", "expired", "canceled", "suppressed", "uncertain"])
      expect([end, (statuses.get(end) ?? 0) > 0]).toEqual([end, true]);
    expect([...outcomes].toSorted()).toEqual([
      "not_called",
      "permanent",
      "sent",
      "throttled",
      "transient",
      "uncertain",
    ]);
    expect(ids.length).toBeGreaterThan(COUNT);
  }, 180_000);

  it("are in no line of the log, though it told of each attempt", () => {
    const lines = kept.lines();
    expect(lines.filter(({ event }) => event === "attempt").length).toBeGreaterThan(COUNT);
    expect(lines.filter(({ event }) => event === "http_answered").length).toBeGreaterThan(COUNT);
    expect(leaks(kept.raw.join(""))).toEqual([]);
  });

  it("are in no metric, of the API or of a worker", async () => {
    const texts = [(await world.call("GET", "/metrics")).body as string, ...(await world.workerMetrics())];
    for (const text of texts) {
      expect(text).toContain("sluice_");
      expect(leaks(text)).toEqual([]);
    }
  });

  it("are in nothing that BullMQ keeps: names, data, reasons of failures, events", async () => {
    const text = await jobs();
    expect(text).toContain("failedReason");
    expect(leaks(text)).toEqual([]);
  });

  it("are in no reason that is stored with a message, which its account is shown", async () => {
    await manyAtOnce(ids, async (id) => {
      const { reason, attempts } = (await world.as("GET", `/v1/messages/${id}`)).body;
      expect(leaks(JSON.stringify([reason, attempts]))).toEqual([]);
    });
  });

  it("are in no answer but where the asker's own words are quoted to the asker, and no secret is there either", () => {
    expect(answers.length).toBeGreaterThan(20);
    for (const { body } of answers) {
      // `got` is what the asker wrote a moment ago, and `detail` repeats it: 80 characters, to be found again by.
      const { errors = [], detail, ...rest } = body;
      const told = errors.map(({ field, expected }: any) => [field === MARK ? "" : field, expected]);
      const quotes: string[] = errors.map(
        ({ field, expected, got }: any) => `${field}: expected ${expected}, got ${got}`,
      );
      expect(
        leaks(
          JSON.stringify([rest, told, quotes.join("; ") === detail ? "" : detail]).replaceAll(
            `\\"${MARK}\\" twice`,
            "",
          ),
        ),
      ).toEqual([]);
      expect(JSON.stringify(body)).not.toContain(world.account.key);
    }
  });

  it("are nobody else's: another account is told nothing of them", async () => {
    const other = await world.newAccount("Other");
    for (const path of [
      `/v1/messages/${ids[0]}`,
      "/v1/messages",
      `/v1/messages?reference=other`,
      "/v1/suppressions",
      "/v1/quotas",
    ])
      expect(leaks(JSON.stringify((await world.call("GET", path, undefined, other.key)).body))).toEqual([]);
  });
});
