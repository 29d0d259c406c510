import { afterEach, describe, expect, it } from "@jest/globals";
import { createServer, type AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import type { Outcome } from "../../src/domain/outcome.ts";
import { seconds } from "../../src/domain/time.ts";
import { smtpProvider, type SmtpOptions } from "../../src/providers/smtp.ts";
import { aMail, ID, unhurried } from "../support/dispatches.ts";
import { DROP, HANG, scriptedSmtp, type ScriptedSmtp } from "../support/scripted-smtp.ts";
import { until } from "../support/until.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each.close();
});

const providerFor = (url: string, more: Partial<SmtpOptions> = {}) => {
  const provider = smtpProvider({ url, messageIdDomain: "sluice.example", timeout: seconds(20), ...more });
  opened.push(provider);
  return provider;
};

const server = async (script: Parameters<typeof scriptedSmtp>[0]): Promise<ScriptedSmtp> => {
  const scripted = await scriptedSmtp(script);
  opened.push(scripted);
  return scripted;
};

const attempt = async (script: Parameters<typeof scriptedSmtp>[0], more: Partial<SmtpOptions> = {}, mail = aMail()) => {
  const scripted = await server(script);
  return { scripted, outcome: await providerFor(scripted.url, more).attempt(mail, unhurried()) };
};

/** More than the sockets and buffers between client and server take in at once. */
const LONG = aMail("ann@example.com", { text: "0123456789 abcdef ".repeat(600_000) });

/** Of a server that is silent. It must come as far as it should, on a machine that is busy with other tests too. */
const shortly = { timeout: seconds(2), connectTimeout: seconds(1) };

describe("a mail", () => {
  it("is one recipient's, with an envelope of its own, however it is put", async () => {
    const { scripted, outcome } = await attempt({});
    expect(outcome).toEqual({ kind: "sent", providerId: "SCRIPTED" });
    expect(scripted.heard.filter((line) => /^(MAIL|RCPT)/.test(line))).toEqual([
      expect.stringMatching(/^MAIL FROM:<shop@example\.org>/),
      "RCPT TO:<ann@example.com>",
    ]);
  });

  it("is byte for byte the same on every try", async () => {
    const scripted = await server({});
    const provider = providerFor(scripted.url);
    const mail = aMail("ann@example.com", { html: "<p>It works.</p>" });
    await provider.attempt(mail, unhurried());
    await provider.attempt(mail, unhurried());
    const [first, second] = scripted.messages;
    expect(second).toBe(first);
    expect(first).toContain(`Message-ID: <${ID}@sluice.example>`);
    expect(first).toContain("Date: Sun, 01 Mar 2026 09:59:00 +0000");
  });

  it("shares pooled connections: fifty at once over three", async () => {
    const scripted = await server({});
    const provider = providerFor(scripted.url, { connections: 3 });
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => provider.attempt(aMail(), unhurried())));
    expect(outcomes.filter((each) => each.kind === "sent")).toHaveLength(50);
    expect(scripted.connections()).toBeLessThanOrEqual(3);
  });

  it("goes over a new connection when the server has closed the pooled one meanwhile", async () => {
    const scripted = await server({});
    const provider = providerFor(scripted.url, { connections: 1 });
    await provider.attempt(aMail(), unhurried());
    scripted.dropAll();
    expect(await provider.attempt(aMail(), unhurried())).toMatchObject({ kind: "sent" });
    expect(scripted.messages).toHaveLength(2);
  });
});

describe("trouble before the message is named is not the message's", () => {
  const notCalled = { kind: "transient", called: false };

  it("nobody listens", async () => {
    const gone = createServer();
    await new Promise<void>((listening) => gone.listen(0, "127.0.0.1", listening));
    const { port } = gone.address() as AddressInfo;
    await new Promise((closed) => gone.close(closed));
    expect(await providerFor(`smtp://127.0.0.1:${port}`).attempt(aMail(), unhurried())).toMatchObject(notCalled);
  });

  it("the name does not exist", async () => {
    expect(await providerFor("smtp://nowhere.invalid:25").attempt(aMail(), unhurried())).toMatchObject(notCalled);
  });

  it.each<[string, Parameters<typeof scriptedSmtp>[0], Partial<SmtpOptions>]>([
    ["no greeting", { greeting: HANG }, shortly],
    ["dropped instead of greeted", { greeting: DROP }, {}],
    ["greeted with nonsense", { greeting: "SSH-2.0-OpenSSH_9.2" }, {}],
    ["greeted with a refusal", { greeting: "554 5.7.1 no service for you" }, {}],
    ["nonsense to EHLO", { ehlo: "what?" }, {}],
    ["dropped at EHLO", { ehlo: DROP }, {}],
    ["STARTTLS refused", { ehlo: "250-scripted\n250 STARTTLS" }, {}],
  ])("%s", async (_what, script, more) => {
    const { scripted, outcome } = await attempt(script, more);
    expect(outcome).toMatchObject(notCalled);
    expect(scripted.messages).toHaveLength(0);
  });

  it("the login is refused", async () => {
    const scripted = await server({ ehlo: "250-scripted\n250 AUTH PLAIN", auth: "535 5.7.8 bad credentials" });
    const url = scripted.url.replace("//", "//user:secret@");
    const outcome = await providerFor(url).attempt(aMail(), unhurried());
    expect(outcome).toMatchObject({ ...notCalled, why: "535 5.7.8 bad credentials" });
  });

  it("the login is not offered: the mail is not refused for good for want of it", async () => {
    const scripted = await server({ auth: "502 5.5.1 not implemented", rcpt: "554 5.7.1 relay access denied" });
    const url = scripted.url.replace("//", "//user:secret@");
    const outcome = await providerFor(url).attempt(aMail(), unhurried());
    expect(outcome).toMatchObject({ ...notCalled, why: "502 5.5.1 not implemented" });
    expect(scripted.heard.join()).not.toMatch(/MAIL FROM/);
  });

  it("TLS is insisted upon and not offered: not a word of the message is said", async () => {
    const scripted = await server({});
    expect(await providerFor(`${scripted.url}?tls=required`).attempt(aMail(), unhurried())).toMatchObject(notCalled);
    expect(scripted.heard.join()).not.toMatch(/MAIL FROM/);
  });

  it("its certificate is not to be trusted, even where TLS was only offered", async () => {
    const heard: string[] = [];
    // smtp-server brings a certificate of its own, signed by itself and expired.
    const selfSigned = new SMTPServer({
      logger: false,
      authOptional: true,
      onMailFrom: (address, _session, done) => {
        heard.push(address.address);
        done();
      },
    });
    selfSigned.on("error", () => {});
    await new Promise<void>((listening) => selfSigned.listen(0, "127.0.0.1", listening));
    opened.push({ close: () => new Promise((closed) => selfSigned.close(closed)) });
    const { port } = selfSigned.server.address() as AddressInfo;
    const outcome = await providerFor(`smtp://127.0.0.1:${port}`).attempt(aMail(), unhurried());
    expect(outcome).toMatchObject({ ...notCalled, why: expect.stringMatching(/CERT/) });
    expect(heard).toHaveLength(0);
  });

  it("unless TLS is off: then it is not used, whatever is offered", async () => {
    const scripted = await server({ ehlo: "250-scripted\n250 STARTTLS" });
    const outcome = await providerFor(`${scripted.url}?tls=off`).attempt(aMail(), unhurried());
    expect(outcome).toMatchObject({ kind: "sent" });
    expect(scripted.heard).not.toContain("STARTTLS");
  });

  it("a greeting that says slow down closes the channel", async () => {
    const { outcome } = await attempt({ greeting: "421 4.7.0 too many connections, try again in 9 seconds" });
    expect(outcome).toMatchObject({ kind: "throttled", about: "channel", retryIn: seconds(9) });
  });
});

describe("a server that bears fewer connections than there are mails", () => {
  const BUSY = "421 Too many concurrent SMTP connections; please try again later.";
  const many = (provider: ReturnType<typeof smtpProvider>, n: number) =>
    Promise.all(Array.from({ length: n }, () => provider.attempt(aMail(), unhurried())));

  it("gets them all over those that it takes, and is asked for no more", async () => {
    const scripted = await server((moment, connection) => (moment === "greeting" && connection > 3 ? BUSY : undefined));
    const provider = providerFor(scripted.url, { connections: 12 });
    const outcomes = await many(provider, 40);
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(["sent"]));
    expect(scripted.messages).toHaveLength(40);
    expect(scripted.connections()).toBeLessThanOrEqual(12);
    await many(provider, 12);
    expect(scripted.connections()).toBeLessThanOrEqual(12);
  });

  it("is not asked for ever where it takes none: the channel is closed", async () => {
    const scripted = await server({ greeting: BUSY });
    const busy = { patience: 100, askAgainEvery: 30 };
    const outcomes = await many(providerFor(scripted.url, { connections: 5, busy }), 20);
    expect(outcomes).toEqual(
      outcomes.map(() => expect.objectContaining({ kind: "throttled", about: "channel", retryIn: seconds(1) })),
    );
    // Five at once, then one at a time.
    expect(scripted.connections()).toBeLessThanOrEqual(5 + 4);
  });

  it("is asked again, one connection at a time, while another has them all", async () => {
    const scripted = await server((moment, connection) =>
      moment === "greeting" && connection <= 7 ? BUSY : undefined,
    );
    const busy = { patience: seconds(20), askAgainEvery: 10 };
    const outcomes = await many(providerFor(scripted.url, { connections: 5, busy }), 20);
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(["sent"]));
    expect(scripted.messages).toHaveLength(20);
  });

  it("gets over another what it would not take over a connection that has carried enough", async () => {
    let mails = 0;
    const scripted = await server((moment, connection) => {
      if (moment !== "mail") return undefined;
      return connection === 1 && ++mails > 2 ? "421 too many messages in this connection" : undefined;
    });
    const provider = providerFor(scripted.url, { connections: 1 });
    for (let n = 0; n < 4; n++) expect(await provider.attempt(aMail(), unhurried())).toMatchObject({ kind: "sent" });
    expect(scripted.connections()).toBe(2);
  });

  it("that takes no second mail over any is heeded", async () => {
    const scripted = await server({ mail: "421 4.3.2 too many messages in this connection" });
    const outcome = await providerFor(scripted.url).attempt(aMail(), unhurried());
    expect(outcome).toMatchObject({ kind: "throttled", about: "sender" });
    expect(scripted.connections()).toBe(6);
  });
});

describe("a reply decides, at whatever moment it comes", () => {
  it.each<[string, Parameters<typeof scriptedSmtp>[0], Partial<Outcome>]>([
    ["sender refused", { mail: "550 5.1.1 unknown user" }, { kind: "permanent" }],
    ["recipient unknown", { rcpt: "550 5.1.1 no such user" }, { kind: "permanent", suppress: true }],
    ["recipient later", { rcpt: "450 4.2.0 greylisted" }, { kind: "transient", called: true }],
    ["slow down at DATA", { data: "451 4.7.1 too many messages" }, { kind: "throttled", about: "sender" }],
    ["refused after the dot", { dot: "554 5.7.1 spam" }, { kind: "permanent" }],
    ["later after the dot", { dot: "451 4.3.0 try again" }, { kind: "transient", called: true }],
    ["421 after the dot", { dot: "421 4.3.2 shutting down" }, { kind: "transient", called: true }],
    ["login wanted at MAIL", { mail: "530 5.7.0 log in first" }, { kind: "transient", called: false }],
  ])("%s", async (_what, script, expected) => {
    const { outcome } = await attempt(script);
    expect(outcome).toMatchObject(expected);
    if (outcome.kind === "permanent" && !("suppress" in expected)) expect(outcome.suppress).toBeUndefined();
  });

  it("also a 421 over pipelined commands on connections that were used before", async () => {
    let calm = true;
    const scripted = await server((moment) => {
      if (moment === "ehlo") return "250-scripted\n250 PIPELINING";
      return moment === "rcpt" && !calm ? "421 4.7.0 too many connections" : undefined;
    });
    const provider = providerFor(scripted.url, { connections: 3 });
    await Promise.all([1, 2, 3].map(() => provider.attempt(aMail(), unhurried())));
    calm = false;
    expect(await provider.attempt(aMail(), unhurried())).toMatchObject({ kind: "throttled", about: "channel" });
  });
});

describe("without a reply, the last byte decides", () => {
  const tryAgain = { kind: "transient", called: true };

  it.each<[string, Parameters<typeof scriptedSmtp>[0], Partial<SmtpOptions>]>([
    ["hangs at MAIL", { mail: HANG }, shortly],
    ["hangs at DATA", { data: HANG }, shortly],
    ["drops at DATA", { data: DROP }, {}],
    ["nonsense at RCPT", { rcpt: "banana" }, {}],
    ["nonsense at DATA", { data: "banana" }, {}],
  ])("%s: tried again", async (_what, script, more) => {
    const { outcome } = await attempt(script, more);
    expect(outcome).toMatchObject(tryAgain);
  });

  it("dropped in the middle of the message: tried again", async () => {
    const { scripted, outcome } = await attempt({ data: { dropAfterBytes: 10_000 } }, {}, LONG);
    expect(outcome).toMatchObject(tryAgain);
    expect(scripted.messages).toHaveLength(0);
  });

  it.each<[string, Parameters<typeof scriptedSmtp>[0], Partial<SmtpOptions>]>([
    ["dropped after the dot", { dot: DROP }, {}],
    ["silent after the dot", { dot: HANG }, shortly],
    ["nonsense after the dot", { dot: "banana" }, {}],
    ["a code that does not exist after the dot", { dot: "999 9.9.9 done" }, {}],
    ["a question after the dot", { dot: "354 go on" }, {}],
  ])("%s: uncertain, and the message is not sent a second time", async (_what, script, more) => {
    const { scripted, outcome } = await attempt(script, more);
    expect(outcome.kind).toBe("uncertain");
    expect(scripted.messages).toHaveLength(1);
  });

  it("an abort ends the attempt at once, on either side of it", async () => {
    for (const [moment, kind] of [
      ["data", "transient"],
      ["dot", "uncertain"],
    ] as const) {
      const scripted = await server({ [moment]: HANG });
      const abort = new AbortController();
      const outcome = providerFor(scripted.url).attempt(aMail(), abort.signal);
      await until(() => (moment === "dot" ? scripted.messages.length : scripted.heard.includes("DATA")));
      abort.abort();
      expect((await outcome).kind).toBe(kind);
    }
  });

  it("an abort before it has begun calls nobody", async () => {
    const scripted = await server({});
    const outcome = await providerFor(scripted.url).attempt(aMail(), AbortSignal.abort());
    expect(outcome).toMatchObject({ kind: "transient", called: false });
    expect(scripted.messages).toHaveLength(0);
  });
});
