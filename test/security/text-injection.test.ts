/**
 * Markup in what a call says and how, form syntax in what a text says: through the API, the worker and Twilio's SDK, and
 * at the adapter alone. Judged by what arrived over HTTP, read by a reader of XML that has nothing of the builder's.
 */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Content } from "../../src/domain/message.ts";
import { twilioProvider } from "../../src/providers/twilio.ts";
import { anSms, PATIENCE, unhurried } from "../support/dispatches.ts";
import { scriptedHttp, type Heard, type ScriptedHttp } from "../support/scripted-http.ts";
import { elementsOf, type Element } from "../support/xml.ts";
import { aWorld, type World } from "../support/world.ts";
import { MARKUP, PAYLOADS } from "./payloads.ts";

const TO = "+15005551234";
const TEXTS = [...MARKUP, ...PAYLOADS.map(({ text }) => text)];

let twilio: ScriptedHttp;
let world: World;
beforeAll(async () => {
  let made = 0;
  twilio = await scriptedHttp((_request, response) => {
    response.writeHead(201).end(JSON.stringify({ sid: `SM${String(++made)}` }));
  });
  world = await aWorld({ twilioUrl: twilio.baseUrl });
});
afterAll(async () => {
  await world.stop();
  await twilio.close();
});

/** What XML cannot hold is left out of what is said; the API refuses NUL and half characters before. */
const sayable = (text: string): string => text.replaceAll(/[\p{Cs}\ufffe\uffff]|(?![\n\t])\p{Cc}/gu, " ");
/** As any XML parser reads line ends, and attributes. */
const asXml = (text: string): string => text.replaceAll(/\r\n?/g, "\n");

/** But for the address that Twilio is to call, which is ours. */
const fieldsOf = ({ form }: Pick<Heard, "form">): readonly string[] =>
  [...form.keys()].filter((name) => name !== "StatusCallback").toSorted();
const sayIn = (heard: Heard): Element => {
  expect(fieldsOf(heard)).toEqual(["From", "To", "Twiml"]);
  expect(heard.form.get("To")).toBe(TO);
  const elements = elementsOf(heard.form.get("Twiml") ?? "");
  expect(elements.map(({ name, depth }) => `${name} ${depth}`)).toEqual(["Response 0", "Say 1"]);
  expect(elements[0]?.attributes).toEqual({});
  return elements[1] ?? { name: "", attributes: {}, depth: 0, text: "" };
};

interface Asked {
  readonly path: string;
  readonly body: object;
  readonly text: string;
}

/** What Twilio heard of those that were accepted, once of each; the others were refused for this field. */
const accepted = async (asked: readonly Asked[], field: string): Promise<readonly (readonly [Asked, Heard])[]> => {
  const before = twilio.heard.length;
  const byId = new Map<string, Asked>();
  for (const each of asked) {
    const { status, body } = await world.as("POST", each.path, each.body);
    if (status === 202) byId.set(body.id, each);
    else expect([each.text, status, body.errors?.[0]?.field]).toEqual([each.text, 422, field]);
  }
  await world.quiet();
  const heard = twilio.heard.slice(before);
  expect(heard).toHaveLength(byId.size);
  return heard.map((each) => {
    const id = /msg_\w+/.exec(each.form.get("StatusCallback") ?? "")?.[0] ?? "";
    const one = byId.get(id);
    if (one === undefined) throw new Error(`nobody asked for ${id}`);
    byId.delete(id);
    return [one, each] as const;
  });
};

describe(`${TEXTS.length} texts with something else in them`, () => {
  it("are one thing said, whatever they look like, when a call says them", async () => {
    const calls = TEXTS.map((text) => ({ path: "/v1/voice/call", body: { to: TO, say: text }, text }));
    const heard = await accepted(calls, "say");
    for (const [{ text }, call] of heard) expect(asXml(sayIn(call).text)).toBe(asXml(sayable(text)));
    expect(heard.length).toBeGreaterThan(70);
  });

  it.each(["voice", "language"])("are never the %s of a call", async (field) => {
    const before = twilio.heard.length;
    for (const text of TEXTS) {
      const { status, body } = await world.as("POST", "/v1/voice/call", { to: TO, say: "Hello", [field]: text });
      expect([text, status, body.errors?.[0]?.field]).toEqual([text, 422, field]);
    }
    await world.quiet();
    expect(twilio.heard).toHaveLength(before);
  });

  it.each(["sms", "whatsapp"])("are the body of one %s and no other field of the form", async (channel) => {
    const asked = TEXTS.map((text) => ({ path: `/v1/${channel}/send`, body: { to: TO, body: text }, text }));
    const heard = await accepted(asked, "body");
    const prefix = channel === "whatsapp" ? "whatsapp:" : "";
    for (const [{ text }, { form }] of heard) {
      expect(fieldsOf({ form })).toEqual(["Body", "From", "To"]);
      expect([form.get("Body"), form.get("To")]).toEqual([text, prefix + TO]);
    }
    expect(heard.length).toBeGreaterThan(70);
  });

  it.each(["to", "from"])("are never the %s of a text", async (field) => {
    const before = twilio.heard.length;
    for (const text of TEXTS.flatMap((each) => [each, `${TO}${each}`, `whatsapp:${TO}`])) {
      const { status, body } = await world.as("POST", "/v1/sms/send", { to: TO, body: "Hello", [field]: text });
      expect([text, status, body.errors?.[0]?.field]).toEqual([text, 422, field]);
    }
    await world.quiet();
    expect(twilio.heard).toHaveLength(before);
  });

  it("are no more at the adapter, when the API is not there to look", async () => {
    const provider = twilioProvider({
      accountSid: `AC${"0".repeat(32)}`,
      authToken: "secret",
      baseUrl: twilio.baseUrl,
      ...PATIENCE,
    });
    const heardOf = async (channel: "voice" | "sms", content: Content): Promise<Heard> => {
      const before = twilio.heard.length;
      const outcome = await provider.attempt({ ...anSms(TO), channel, content }, unhurried());
      expect(outcome).toMatchObject({ kind: "sent" });
      const [heard, ...more] = twilio.heard.slice(before);
      if (heard === undefined || more.length > 0) throw new Error("expected one request");
      return heard;
    };
    for (const text of TEXTS) {
      const { attributes, text: said } = sayIn(await heardOf("voice", { say: text, voice: text, language: text }));
      expect(asXml(said)).toBe(asXml(sayable(text)));
      expect(Object.keys(attributes).toSorted()).toEqual(["language", "voice"]);
      const { form } = await heardOf("sms", { body: text });
      expect(fieldsOf({ form })).toEqual(["Body", "From", "To"]);
    }
    await provider.close();
  });
});
