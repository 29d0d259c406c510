/** What the logs, the metrics and BullMQ's jobs may know: that something happened to a message, and nothing of it. */
import { afterAll, describe, expect, it } from "@jest/globals";
import { CHANNELS } from "../../src/domain/channel.ts";
import { keysIn } from "../support/cell-keys.ts";
import { keptLog } from "../support/log-lines.ts";
import { scriptedSmtp } from "../support/scripted-smtp.ts";
import { until } from "../support/until.ts";
import { aWorld, type Answer, type World } from "../support/world.ts";

/** In everything that is a person's or a secret, and nowhere else. */
const MARK = "zqmarked";
const marked = (n: number) => `${MARK}${n}`;

const TROUBLED_MAIL = ["fail", "blocked", "full", "defer", "busy", "overload", "lost"];
const TROUBLED_NUMBERS = ["0001", "0002", "0004", "0005", "0007", "0009"];

describe("a run at the level debug, with marked messages through success and every trouble", () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  const markedWorld = async (smtpUrl?: (ledgers: string) => string) => {
    const kept = keptLog("debug");
    const world = await aWorld({ log: kept.log, ...(smtpUrl === undefined ? {} : { smtpUrl }) });
    closing.push(world.stop);
    return { kept, world };
  };
  const mail = (n: number, to = `${marked(n)}@example.net`) => ({
    from: `The ${marked(n)} shop <${marked(n)}@example.com>`,
    to,
    subject: marked(n),
    text: marked(n),
    html: `<p>${marked(n)}</p>`,
    reply_to: `${marked(n)}@example.org`,
    headers: { "X-Campaign": marked(n) },
    reference: marked(n),
    metadata: { [marked(n)]: marked(n) },
  });
  const NUMBER = "+1500555";

  /** Everything of the cell that is BullMQ's, as text. */
  const jobsOf = async (world: World): Promise<string> => {
    const texts: string[] = [];
    for (const { name } of await keysIn(world)) {
      if (!name.startsWith("bull:")) continue;
      const key = world.core.keys.cell + name;
      const type = await world.core.commands.type(key);
      if (type === "hash") texts.push(JSON.stringify(await world.core.commands.hgetall(key)));
      if (type === "stream") texts.push(JSON.stringify(await world.core.commands.xrange(key, "-", "+")));
    }
    return texts.join("\n");
  };
  const leaks = (text: string, secrets: readonly string[] = []): string[] =>
    text.split("\n").filter((line) => [MARK, NUMBER, ...secrets].some((secret) => line.includes(secret)));

  it("tells each event in a line with its message and account, and nothing of what was in it", async () => {
    const { kept, world } = await markedWorld((url) => url.replace("smtp://", `smtp://${MARK}user:${MARK}password@`));
    const ids: string[] = [];
    const noted = (answer: Answer): Answer => {
      expect(answer.status).toBe(202);
      ids.push(answer.body.id);
      return answer;
    };
    for (let n = 0; n < 80; n++) noted(await world.as("POST", "/v1/email/send", mail(n)));
    for (const channel of ["sms", "whatsapp", "voice"] as const)
      for (let n = 0; n < 7; n++) {
        const words = channel === "voice" ? { say: marked(n) } : { body: marked(n) };
        const body = { to: `${NUMBER}${1_000 + n}`, ...words, metadata: { who: marked(n) } };
        noted(await world.as("POST", world.pathFor[channel], body, { "Idempotency-Key": `${marked(n)}${channel}` }));
      }
    await world.quiet();
    for (const [at, name] of TROUBLED_MAIL.entries())
      noted(
        await world.as("POST", "/v1/email/send", {
          ...mail(at, `${name}@sandbox.invalid`),
          from: `${marked(at)}@${name}.example.com`,
        }),
      );
    for (const [at, end] of TROUBLED_NUMBERS.entries())
      noted(await world.as("POST", "/v1/sms/send", { to: `${NUMBER}${end}`, body: marked(at) }));
    const template = { from: `${MARK}@example.com`, subject: "Dear {{name}}", text: "{{name}}" };
    const recipients = [
      { to: `${MARK}@example.net`, variables: { name: MARK } },
      { to: MARK, variables: {} },
    ];
    expect((await world.as("POST", "/v1/email/send/bulk", { template, recipients })).status).toBe(202);
    // What was throttled or deferred has its next tries, too. A retry that is throttled again closes its channel while
    // others wait there: then they go in a later minute.
    const isAttempted = (id: string): boolean =>
      kept.lines().some((line) => line["event"] === "attempt" && line["id"] === id);
    for (let minute = 0; minute < 5 || (minute < 60 && !ids.every(isAttempted)); minute++) {
      await until(async () => (await world.depths()).inFlight === 0, { what: "nothing is in flight", within: 30_000 });
      await world.advanceTo(world.now() + 60_000);
      await until(async () => (await world.depths()).due === 0, { what: "what is due is looked at" });
    }
    await until(async () => (await world.depths()).inFlight === 0, { what: "nothing is in flight", within: 30_000 });

    const wrong: Answer[] = [
      await world.as("POST", "/v1/email/send", { ...mail(1), to: `${MARK} is no address` }),
      await world.as("POST", "/v1/email/send", { ...mail(1), [MARK]: MARK }),
      await world.as("POST", "/v1/email/send", { ...mail(1), subject: `a\r\nBcc: ${MARK}@example.net` }),
      await world.as("POST", "/v1/email/send", `{"to": "${MARK}`),
      await world.as("POST", "/v1/sms/send", { to: MARK, body: MARK }),
      await world.as("GET", `/v1/messages/${MARK}`),
      await world.as("GET", `/v1/messages?reference=${MARK}&limit=x`),
      await world.as("GET", `/${MARK}/${MARK}@example.net?to=${MARK}`),
      await world.as("DELETE", `/v1/suppressions?channel=email&address=${MARK}%40example.net`),
      await world.call("GET", "/v1/quotas", undefined, `sk_${MARK}`),
      await world.call("GET", "/v1/quotas", undefined, MARK),
      await world.call("PUT", `/v1/accounts/${world.account.id}/senders/${MARK}%40example.com/quotas/email`, {
        hour: -1,
      }),
    ];
    expect(wrong.map(({ status }) => status).filter((status) => status < 400 || status >= 500)).toEqual([]);

    const twilioToken = world.config.twilio?.authToken ?? "";
    const secrets = [world.account.key, world.account.key.slice(3), twilioToken, "a-key-for-the-operator"];
    expect(leaks(kept.raw.join(""), secrets)).toEqual([]);
    expect(leaks((await world.call("GET", "/metrics")).body as string, secrets)).toEqual([]);
    const jobs = await jobsOf(world);
    expect(jobs).toContain("failedReason");
    expect(leaks(jobs, secrets)).toEqual([]);
    // Answers to others: an account that knows the ids and the words, and one that asks for what is not there.
    const other = await world.newAccount("Other");
    const foreign = [
      await world.call("GET", `/v1/messages/${ids[0]}`, undefined, other.key),
      await world.call("GET", "/v1/messages", undefined, other.key),
      await world.call("POST", `/v1/messages/${ids[0]}/replay`, undefined, other.key),
    ];
    expect(leaks(foreign.map(({ body }) => JSON.stringify(body)).join("\n"), secrets)).toEqual([]);

    const lines = kept.lines();
    const attempts = lines.filter(({ event }) => event === "attempt");
    for (const id of ids) expect([id, attempts.some((line) => line["id"] === id)]).toEqual([id, true]);
    expect(attempts.every((line) => line["account"] === world.account.id)).toBe(true);
    const sends = lines.filter(({ event, route }) => event === "http_answered" && String(route).endsWith("/send"));
    expect(sends.every((line) => line["account"] === world.account.id)).toBe(true);
    // That this is a test, it says loudly.
    expect(lines.filter(({ level, event }) => level === "error" && event !== "test_switches")).toEqual([]);

    const told = lines.length;
    const { body } = await world.send(500, "voice");
    await until(async () => (await world.as("GET", `/v1/messages/${body.id}`)).body.status === "sent");
    const ofOne = kept
      .lines()
      .slice(told)
      .filter((line) => line.level === "info" && line["id"] === body.id);
    expect(ofOne.map(({ event }) => event)).toEqual(["attempt"]);
  });

  it("leaves out whom a mail server names in its refusals, in logs, jobs and what is stored", async () => {
    const refusing = await scriptedSmtp({
      rcpt: `550-5.1.1 <${marked(1)}@example.net>: no such user here\n550 5.1.1 asked by ${marked(1)}@example.com`,
    });
    closing.push(refusing.close);
    const { kept, world } = await markedWorld(() => refusing.url);
    const { body } = await world.as("POST", "/v1/email/send", mail(1));
    await world.quiet();
    const view = (await world.as("GET", `/v1/messages/${body.id}`)).body;
    expect(view).toMatchObject({ status: "failed" });
    expect(leaks(JSON.stringify([view.reason, view.attempts]))).toEqual([]);
    expect(leaks(kept.raw.join(""))).toEqual([]);
    expect(leaks(await jobsOf(world))).toEqual([]);
  });

  it("counts on /metrics what happened, by channel and outcome and by nothing that names anybody", async () => {
    const { world } = await markedWorld();
    const quota = await world.call("PUT", `/v1/accounts/${world.account.id}/quotas/email`, { hour: 6 });
    expect(quota.status).toBe(200);
    await world.as("POST", "/v1/email/send", mail(1, "fail@sandbox.invalid"));
    await world.quiet();
    for (let n = 0; n < 9; n++) await world.as("POST", "/v1/email/send", mail(n));
    for (let n = 0; n < 4; n++) await world.send(n, "sms");
    const { body: canceled } = await world.as("POST", "/v1/email/send", mail(99));
    await world.as("DELETE", `/v1/messages/${canceled.id}`);
    await world.as("POST", "/v1/email/send", {
      ...mail(98),
      expires_at: new Date(Date.now() + 3_600_000).toISOString(),
      send_at: new Date(Date.now() + 60_000).toISOString(),
    });
    await world.quiet();
    const valueIn = (text: string, line: string): number | undefined => {
      const found = text.split("\n").find((each) => each.startsWith(`${line} `));
      return found === undefined ? undefined : Number(found.slice(line.length + 1));
    };
    const text = (await world.call("GET", "/metrics")).body as string;
    const value = (line: string) => valueIn(text, line);
    // What a process does itself, its own port tells.
    const [worker = ""] = await world.workerMetrics();
    const valueOfWorker = (line: string) => valueIn(worker, line);
    const ended = (channel: string, outcome: string) =>
      value(`sluice_messages_total{channel="${channel}",outcome="${outcome}"}`);
    expect(ended("email", "sent")).toBe(6);
    expect(ended("email", "failed")).toBe(1);
    expect(ended("email", "canceled")).toBe(1);
    expect(ended("sms", "sent")).toBe(4);
    expect(ended("voice", "sent")).toBe(0);
    expect(value(`sluice_lane_depth{channel="email",state="throttled"}`)).toBe(3);
    expect(value(`sluice_lane_depth{channel="email",state="scheduled"}`)).toBe(1);
    expect(value(`sluice_lane_depth{channel="email",state="queued"}`)).toBe(0);
    expect(value(`sluice_held{channel="email"}`)).toBe(0);
    for (const channel of CHANNELS) expect(value(`sluice_lane_depth{channel="${channel}",state="sending"}`)).toBe(0);
    expect(valueOfWorker(`sluice_gate_passes_total{channel="email"}`)).toBeGreaterThan(0);
    expect(valueOfWorker(`sluice_gate_released_total{channel="email"}`)).toBe(7);
    expect(valueOfWorker(`sluice_attempt_seconds_count{channel="email",outcome="sent"}`)).toBe(6);
    expect(valueOfWorker(`sluice_attempt_seconds_count{channel="email",outcome="permanent"}`)).toBe(1);
    // What is asked for together shares a call.
    expect(value(`sluice_script_seconds_count{script="accept"}`)).toBeGreaterThanOrEqual(3);
    expect(valueOfWorker(`sluice_script_seconds_count{script="begin"}`)).toBeGreaterThanOrEqual(3);
  });
});
