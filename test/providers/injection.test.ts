/** Line breaks and second recipients in every field of a mail, judged by what a server reads off the wire. */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { EmailContent } from "../../src/domain/message.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { smtpProvider } from "../../src/providers/smtp.ts";
import { aMail, PATIENCE, unhurried } from "../support/dispatches.ts";
import { scriptedSmtp, type ScriptedSmtp } from "../support/scripted-smtp.ts";

let server: ScriptedSmtp;
let provider: Provider;
beforeAll(async () => {
  server = await scriptedSmtp({});
  provider = smtpProvider({ url: server.url, messageIdDomain: "sluice.example", timeout: PATIENCE.timeout });
});
afterAll(async () => {
  await provider.close();
  await server.close();
});

/** What the server heard of one attempt. */
const heardOf = async (mail: ReturnType<typeof aMail>) => {
  const [commands, messages] = [server.heard.length, server.messages.length];
  const outcome = await provider.attempt(mail, unhurried());
  const [message, ...others] = server.messages.slice(messages);
  expect(others).toHaveLength(0);
  const header = (message ?? "").split("\r\n\r\n")[0] ?? "";
  return {
    outcome,
    recipients: server.heard.slice(commands).filter((line) => line.startsWith("RCPT")),
    names: header.split(/\r\n(?![ \t])/).map((line) => line.split(":")[0] ?? ""),
    message,
  };
};

const BREAKS = ["\r\n", "\n", "\r", "\r\n\r\n", "\0"];
const INJECTED = "Bcc: victim@example.net";

describe("a line break", () => {
  const fields: readonly (readonly [string, (text: string) => Partial<EmailContent>])[] = [
    ["the subject", (text) => ({ subject: `Hello${text}` })],
    ["the display name", (text) => ({ from: `The${text} Shop <shop@example.org>` })],
    ["the sender's address", (text) => ({ from: `shop@example.org${text}` })],
    ["reply_to", (text) => ({ reply_to: `help@example.org${text}` })],
    ["a header's value", (text) => ({ headers: { "X-Campaign": `spring${text}` } })],
    ["a header's name", (text) => ({ headers: { [`X-Campaign${text}`]: "spring" } })],
  ];
  it.each(fields)("in %s is refused before anybody is called", async (_field, content) => {
    for (const lineBreak of BREAKS) {
      const { outcome, recipients } = await heardOf(aMail(undefined, content(`${lineBreak}${INJECTED}`)));
      expect(outcome).toMatchObject({ kind: "permanent" });
      expect(outcome).not.toHaveProperty("suppress");
      expect(recipients).toHaveLength(0);
    }
  });

  it("in the recipient is refused likewise", async () => {
    for (const lineBreak of BREAKS) {
      const { outcome, recipients } = await heardOf(aMail(`ann@example.com${lineBreak}RCPT TO:<victim@example.net>`));
      expect(outcome).toMatchObject({ kind: "permanent" });
      expect(recipients).toHaveLength(0);
    }
  });

  it("in the text is text, even where it looks like the end of the message", async () => {
    const text = `one\r\n.\r\nMAIL FROM:<x@example.net>\r\nRCPT TO:<victim@example.net>\r\n${INJECTED}\n.\nlast`;
    const { outcome, recipients, names, message } = await heardOf(aMail(undefined, { text }));
    expect(outcome).toMatchObject({ kind: "sent" });
    expect(recipients).toEqual(["RCPT TO:<ann@example.com>"]);
    expect(names).not.toContain("Bcc");
    expect(message).toContain("last");
  });
});

describe("a second recipient", () => {
  it.each([
    "ann@example.com, victim@example.net",
    "ann@example.com,victim@example.net",
    "ann@example.com;victim@example.net",
    "ann@example.com victim@example.net",
    "Ann <ann@example.com>, Victim <victim@example.net>",
    "friends: ann@example.com, victim@example.net;",
    "<ann@example.com><victim@example.net>",
    "ann@example.com <victim@example.net>",
    "ann",
    "",
    "@example.com",
    `${"a".repeat(250)}@example.com`,
  ])("does not come of %j", async (to) => {
    const { outcome, recipients } = await heardOf(aMail(to));
    expect(outcome).toMatchObject({ kind: "permanent" });
    expect(recipients).toHaveLength(0);
  });

  it("nor of the sender's header, which must name the sender and nobody else", async () => {
    for (const from of ["shop@example.org, victim@example.net", "Shop <other@example.org>", "shop", ""])
      expect((await heardOf(aMail(undefined, { from }))).outcome).toMatchObject({ kind: "permanent" });
  });
});

describe("a domain that is no ASCII", () => {
  it("is the sender's, however it is spelled, and travels in ASCII", async () => {
    const mail = aMail(undefined, { from: "Ann <Ann@bücher.example>", reply_to: "help@bücher.example" });
    const { outcome, message } = await heardOf({ ...mail, sender: "ann@xn--bcher-kva.example" });
    expect(outcome).toMatchObject({ kind: "sent" });
    expect(message).toMatch(/^From: Ann <Ann@xn--bcher-kva\.example>\r$/m);
    expect(message).toMatch(/^Reply-To: help@xn--bcher-kva\.example\r$/m);
  });
});

describe("a header of the caller's", () => {
  it("is sent as it is", async () => {
    const headers = { "X-Campaign": "spring", "List-Unsubscribe": "<https://example.org/u>" };
    const { names } = await heardOf(aMail(undefined, { headers }));
    expect(names).toEqual(expect.arrayContaining(["X-Campaign", "List-Unsubscribe"]));
  });

  it.each([
    "From",
    "TO",
    "cc",
    "Bcc",
    "Subject",
    "Date",
    "Message-ID",
    "message-id",
    "Sender",
    "Reply-To",
    "Return-Path",
  ])("cannot be %s", async (name) => {
    const { outcome, recipients } = await heardOf(aMail(undefined, { headers: { [name]: "victim@example.net" } }));
    expect(outcome).toMatchObject({ kind: "permanent" });
    expect(recipients).toHaveLength(0);
  });

  it.each([
    "Content-Type",
    "content-transfer-encoding",
    "MIME-Version",
    "Resent-To",
    "Received",
    "X Y",
    "Bcc:",
    "",
    "Bcc ",
    "Bçc",
  ])("cannot be %j either", async (name) => {
    const { outcome } = await heardOf(aMail(undefined, { headers: { [name]: "x" } }));
    expect(outcome).toMatchObject({ kind: "permanent" });
  });
});

describe("an object in the place of text", () => {
  const file = { path: "/etc/passwd" } as unknown as string;

  it.each<[string, Partial<EmailContent>]>([
    ["text", { text: file }],
    ["html", { html: file }],
    ["subject", { subject: file }],
    ["a header", { headers: { "X-Campaign": file } }],
  ])("in %s reads no file", async (_field, content) => {
    const { outcome, message } = await heardOf(aMail(undefined, content));
    expect(outcome).toMatchObject({ kind: "permanent" });
    expect(message).toBeUndefined();
  });
});

it("what is left of a mail are the headers that belong to it", async () => {
  const { names } = await heardOf(aMail(undefined, { reply_to: "help@example.org" }));
  expect(names.toSorted()).toEqual(
    [
      "Content-Transfer-Encoding",
      "Content-Type",
      "Date",
      "From",
      "MIME-Version",
      "Message-ID",
      "Reply-To",
      "Subject",
      "To",
    ].toSorted(),
  );
});
