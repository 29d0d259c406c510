/**
 * Everything that has ended a header somewhere, in every field of a mail that becomes one: through the API and the worker,
 * and at the adapter alone. What arrives on an SMTP socket is read by a parser that the product sends nothing with.
 */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import PostalMime, { decodeWords } from "postal-mime";
import type { EmailContent } from "../../src/domain/message.ts";
import { smtpProvider } from "../../src/providers/smtp.ts";
import { aMail, PATIENCE, unhurried } from "../support/dispatches.ts";
import { scriptedSmtp, type ScriptedSmtp } from "../support/scripted-smtp.ts";
import { aWorld, type World } from "../support/world.ts";
import { PAYLOADS } from "./payloads.ts";

/** Headers of a mail of ours, whatever was asked for. */
const OURS = [
  "from",
  "to",
  "subject",
  "message-id",
  "date",
  "mime-version",
  "content-type",
  "content-transfer-encoding",
];
const TO = "ann@example.com";
const FROM = "shop@example.org";

interface Field {
  /** As errors name it. */
  readonly field: string;
  readonly content: (text: string) => Partial<EmailContent>;
  /** A header that this adds. */
  readonly adds?: (text: string) => string;
  /** What a reader is shown, which is what was asked for. */
  readonly shown?: (mail: Awaited<ReturnType<typeof PostalMime.parse>>, text: string) => string | undefined;
}

const folded = (text: string | undefined): string => (text ?? "").replaceAll(/\s+/g, " ").trim();
const quotedName = (text: string): string => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
const FIELDS: Readonly<Record<string, Field>> = {
  subject: { field: "subject", content: (subject) => ({ subject }), shown: ({ subject }) => subject },
  "the name in from": { field: "from", content: (text) => ({ from: `${text} <${FROM}>` }) },
  "the quoted name in from": {
    field: "from",
    content: (text) => ({ from: `${quotedName(text)} <${FROM}>` }),
    shown: ({ from }) => from?.name,
  },
  "the address in from": { field: "from", content: (text) => ({ from: `${FROM}${text}` }) },
  "the name in reply_to": {
    field: "reply_to",
    content: (text) => ({ reply_to: `${quotedName(text)} <help@example.org>` }),
    adds: () => "reply-to",
    shown: ({ replyTo }) => replyTo?.[0]?.name,
  },
  "the address in reply_to": {
    field: "reply_to",
    content: (text) => ({ reply_to: `help${text}@example.org` }),
    adds: () => "reply-to",
  },
  "a header's value": {
    field: "headers.X-Campaign",
    content: (text) => ({ headers: { "X-Campaign": text } }),
    adds: () => "x-campaign",
    // Encoded words are for a caller to write here, whose header it is: what is none arrives as it was asked for.
    shown: ({ headers }, text) => {
      const value = headers.find(({ key }) => key === "x-campaign")?.value ?? "";
      return folded(value) === folded(text) ? value : decodeWords(value);
    },
  },
  "a header's name": {
    field: "headers",
    content: (text) => ({ headers: { [`X-${text}`]: "spring" } }),
    adds: (text) => `x-${text}`.toLowerCase(),
  },
  "the text": { field: "text", content: (text) => ({ text }) },
  "the html": { field: "html", content: (html) => ({ html }) },
};

/** Ends of a message, as sloppy servers see them ("SMTP smuggling"), and what would come after. */
const SMUGGLED = [
  "\r\n.\r\n",
  "\n.\n",
  "\r.\r",
  "\n.\r\n",
  "\r\n.\n",
  "\r\n.\r",
  "\r.\r\n",
  "\r\n\0.\r\n",
  "\r\n..\r\n",
].map((end) => ({
  name: `the end ${JSON.stringify(end)}`,
  text: `one${end}MAIL FROM:<${FROM}>\r\nRCPT TO:<victim@example.net>\r\nDATA\r\nSubject: two\r\n\r\nhello${end}`,
}));

const CASES = Object.entries(FIELDS).flatMap(([name, field]) =>
  [...PAYLOADS, ...(/text|html/.test(name) ? SMUGGLED : [])].map((payload) => ({
    what: `${payload.name} in ${name}`,
    field,
    text: payload.text,
  })),
);

let server: ScriptedSmtp;
let world: World;
beforeAll(async () => {
  server = await scriptedSmtp({});
  world = await aWorld({ smtpUrl: () => server.url });
});
afterAll(async () => {
  await world.stop();
  await server.close();
});

/** As the server that took it would hand it on. */
const mailIn = async (message: string) => ({
  bytes: message,
  mail: await PostalMime.parse(Buffer.from(message.replaceAll("\r\n..", "\r\n."), "latin1")),
});

/** Why this is not the one mail that was asked for; "" when it is. */
const wrongWith = async (message: string, { field, adds, shown }: Field, text: string): Promise<string> => {
  const { bytes, mail } = await mailIn(message);
  if (/\r(?!\n)|(?<!\r)\n|\0/.test(bytes)) return "a bare CR or LF, or a NUL";
  if (bytes.split("\r\n").some((line) => line.length > 998)) return "a line of more than 998";
  const [header = ""] = bytes.split("\r\n\r\n");
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  if (/[^\x20-\x7e\t\r\n]/.test(header)) return "a header that is not ASCII";
  const names = mail.headers.map(({ key }) => key).toSorted();
  const expected = [...OURS, ...(adds === undefined ? [] : [adds(text)])].toSorted();
  // A mail of two parts has its encodings inside of them.
  const isWhole =
    names.join() === expected.join() ||
    names.join() === expected.filter((name) => name !== "content-transfer-encoding").join();
  if (!isWhole) return `the headers ${names.join()}`;
  if (mail.cc !== undefined || mail.bcc !== undefined) return "others get it too";
  if (mail.to?.length !== 1 || mail.to[0]?.address !== TO) return `it goes to ${JSON.stringify(mail.to)}`;
  if (mail.from?.address !== FROM) return `it is from ${JSON.stringify(mail.from)}`;
  if (mail.attachments.length > 0) return "it carries something";
  const read = shown === undefined ? text : shown(mail, text);
  if (folded(read) !== folded(text)) return `${field} reads ${JSON.stringify(read)}`;
  return "";
};

const contentOf = ({ content }: Field, text: string): EmailContent => ({
  from: `The Shop <${FROM}>`,
  to: TO,
  subject: "Hello",
  text: "It works.",
  ...content(text),
});

describe(`${CASES.length} fields of mails with something else in them`, () => {
  it("are refused by the API by their names, or arrive as one mail to one recipient that says what it was to say", async () => {
    const accepted = new Map<string, (typeof CASES)[number]>();
    const wrong: string[] = [];
    for (const each of CASES) {
      const { to, ...content } = contentOf(each.field, each.text);
      const { status, body } = await world.as("POST", "/v1/email/send", { ...content, to });
      if (status === 202) accepted.set(body.id, each);
      else if (status !== 422 || !body.errors.every((error: any) => error.field.startsWith(each.field.field)))
        wrong.push(`${each.what}: ${status} ${JSON.stringify(body)}`);
    }
    await world.quiet();
    const commands = server.heard.filter((line) => /^(?:MAIL|RCPT|DATA)/.test(line));
    expect(commands).toHaveLength(3 * accepted.size);
    expect(new Set(commands)).toEqual(new Set([`MAIL FROM:<${FROM}>`, `RCPT TO:<${TO}>`, "DATA"]));
    expect(server.messages).toHaveLength(accepted.size);
    for (const message of server.messages) {
      const id = /^Message-ID: <(msg_\w+)@/m.exec(message)?.[1] ?? "";
      const each = accepted.get(id);
      const why = each === undefined ? "nobody asked for it" : await wrongWith(message, each.field, each.text);
      if (why !== "") wrong.push(`${each?.what}: ${why}`);
    }
    expect(wrong).toEqual([]);
    // Both happen, or nothing was tried.
    expect(accepted.size).toBeGreaterThan(CASES.length / 4);
    expect(CASES.length - accepted.size).toBeGreaterThan(CASES.length / 4);
  });

  it("are refused by the adapter before anybody is called, or arrive likewise, when the API is not there to look", async () => {
    const provider = smtpProvider({ url: server.url, messageIdDomain: "sluice.example", timeout: PATIENCE.timeout });
    const wrong: string[] = [];
    let sent = 0;
    for (const { what, field, text } of CASES) {
      const before = server.messages.length;
      const outcome = await provider.attempt(aMail(TO, contentOf(field, text)), unhurried());
      const [message, ...more] = server.messages.slice(before);
      if (outcome.kind === "sent" && message !== undefined && more.length === 0) {
        sent++;
        // What it reads is for the API to see to; that it is one mail, and nobody else's, is seen to here as well.
        const why = await wrongWith(message, { ...field, shown: () => text }, text);
        if (why !== "") wrong.push(`${what}: ${why}`);
      } else if (outcome.kind !== "permanent" || message !== undefined)
        wrong.push(`${what}: ${JSON.stringify(outcome)}`);
    }
    await provider.close();
    expect(wrong).toEqual([]);
    expect(sent).toBeGreaterThan(CASES.length / 4);
  });

  it("are as harmless in a template's variables, which fill its subject and its html", async () => {
    const before = server.messages.length;
    const template = { from: FROM, subject: "Dear {{name}}", html: "<p>{{name}}</p>", text: "{{name}}" };
    const recipients = PAYLOADS.map(({ text }) => ({ to: TO, variables: { name: text } }));
    const { body } = await world.as("POST", "/v1/email/send/bulk", { template, recipients });
    const asked = new Map<string, string>();
    for (const [at, { text }] of PAYLOADS.entries()) {
      const { id, error } = body.results[at];
      if (id !== undefined) asked.set(id, text);
      else expect([text, error.errors[0].field]).toEqual([text, "variables.name"]);
    }
    await world.quiet();
    expect(server.messages.length - before).toBe(asked.size);
    for (const message of server.messages.slice(before)) {
      const text = asked.get(/^Message-ID: <(msg_\w+)@/m.exec(message)?.[1] ?? "") ?? "";
      const shown: Field = { field: "subject", content: () => ({}), shown: ({ subject }) => subject };
      expect([text, await wrongWith(message, shown, `Dear ${text}`)]).toEqual([text, ""]);
      const { mail } = await mailIn(message);
      // The variable is text in the html: no tag of it is one.
      expect(mail.html?.replaceAll(/<\/?p>/g, "")).not.toMatch(/[<>]/);
    }
    expect(asked.size).toBeGreaterThan(20);
  });
});
