/** What Twilio tells of a message after it took it in, or before it has said that it did. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { getExpectedTwilioSignature } from "twilio/lib/webhooks/webhooks.js";
import { scriptedHttp } from "../support/scripted-http.ts";
import { until } from "../support/until.ts";
import { aWorld, type World } from "../support/world.ts";

const PUBLIC_URL = "https://sluice.example.com";

describe("what Twilio tells of a message", () => {
  let world: World;
  beforeAll(async () => {
    world = await aWorld({ env: { PUBLIC_URL } });
  });
  afterEach(() => {
    world.provider.beforeArrival = null;
  });
  afterAll(() => world.stop());

  const view = async (id: string) => (await world.as("GET", `/v1/messages/${id}`)).body;
  const tell = async (id: string, form: Record<string, string>): Promise<void> => {
    const path = `/v1/callbacks/twilio/status?message_id=${id}`;
    const token = world.config.twilio?.authToken ?? "";
    const { status } = await fetch(world.origin + path, {
      method: "POST",
      headers: { "X-Twilio-Signature": getExpectedTwilioSignature(token, PUBLIC_URL + path, form) },
      body: new URLSearchParams(form),
    });
    expect(status).toBe(204);
  };
  const sent = async (n: number, channel: "sms" | "voice" | "whatsapp" = "sms") => {
    const { body } = await world.send(n, channel);
    await world.quiet();
    const message = await view(body.id);
    expect(message).toMatchObject({ status: "sent", provider_id: expect.any(String) });
    return { id: body.id as string, sid: message.provider_id as string };
  };

  it("moves it from sent to delivered, however often and in whatever order it is told", async () => {
    const { id, sid } = await sent(1);
    for (const MessageStatus of ["queued", "sent", "delivered", "delivered", "sent", "undelivered"])
      await tell(id, { MessageSid: sid, MessageStatus });
    expect(await view(id)).toMatchObject({ status: "delivered", reason: null, provider_id: sid });
    const { items } = (await world.as("GET", "/v1/messages?status=delivered")).body;
    expect(items.map((item: { id: string }) => item.id)).toContain(id);
  });

  it("says why it was not delivered, of a call too", async () => {
    const text = await sent(2, "whatsapp");
    await tell(text.id, { MessageSid: text.sid, MessageStatus: "undelivered", ErrorCode: "30003" });
    expect(await view(text.id)).toMatchObject({
      status: "undelivered",
      reason: "Twilio 30003: the handset cannot be reached",
    });
    const call = await sent(3, "voice");
    await tell(call.id, { CallSid: call.sid, CallStatus: "busy" });
    expect(await view(call.id)).toMatchObject({ status: "undelivered", reason: "Twilio: the line was busy" });
  });

  it("is not about ours when it is about another message of Twilio's", async () => {
    const { id, sid } = await sent(4);
    await tell(id, { MessageSid: `${sid.slice(0, 2)}${"0".repeat(32)}`, MessageStatus: "undelivered" });
    expect(await view(id)).toMatchObject({ status: "sent", provider_id: sid });
  });

  it("settles it when it is told before the reply", async () => {
    const MessageSid = `SM${"1".repeat(32)}`;
    world.provider.beforeArrival = async ({ message_id: id }) => {
      expect((await view(id)).status).toBe("sending");
      await tell(id, { MessageSid, MessageStatus: "delivered" });
    };
    const { body } = await world.send(5, "sms");
    await world.quiet();
    expect(await view(body.id)).toMatchObject({ status: "delivered" });
    expect(world.ledger.filter(({ message_id: id }) => id === body.id)).toHaveLength(1);
  });

  it("keeps the reason that was told before the reply", async () => {
    const MessageSid = `SM${"3".repeat(32)}`;
    world.provider.beforeArrival = ({ message_id: id }) =>
      tell(id, { MessageSid, MessageStatus: "undelivered", ErrorCode: "30003" });
    const { body } = await world.send(5, "sms");
    await world.quiet();
    const reason = "Twilio 30003: the handset cannot be reached";
    expect(await view(body.id)).toMatchObject({ status: "undelivered", reason });
  });

  it("settles what nobody knew, once, and it stays charged", async () => {
    const before = (await world.as("GET", "/v1/quotas")).body.sms.hour.used;
    const { body } = await world.send(6, "sms", { to: "+15005550005" });
    await world.quiet();
    expect(await view(body.id)).toMatchObject({ status: "uncertain" });
    const MessageSid = `SM${"2".repeat(32)}`;
    await tell(body.id, { MessageSid, MessageStatus: "delivered" });
    await tell(body.id, { MessageSid, MessageStatus: "sent" });
    expect(await view(body.id)).toMatchObject({ status: "delivered", provider_id: MessageSid });
    expect((await world.as("GET", "/v1/quotas")).body.sms.hour).toMatchObject({ used: before + 1, held: 0 });
  });

  it("is counted in its batch", async () => {
    const bulk = await world.as("POST", "/v1/sms/send/bulk", { messages: [7, 8, 9].map((n) => world.bodyFor.sms(n)) });
    await world.quiet();
    const ids: string[] = bulk.body.results.map(({ id }: { id: string }) => id);
    for (const [at, MessageStatus] of ["delivered", "undelivered"].entries()) {
      const MessageSid = (await view(ids[at]!)).provider_id;
      for (let n = 0; n < 2; n++) await tell(ids[at]!, { MessageSid, MessageStatus });
    }
    const { counts } = (await world.as("GET", `/v1/batches/${bulk.body.batch_id}`)).body;
    expect(counts).toMatchObject({ sent: 1, delivered: 1, undelivered: 1 });
  });
});

it("gives Twilio the address to tell it at, with the message's id", async () => {
  const world = await aWorld({ env: { PUBLIC_URL }, workers: 0 });
  const twilio = await scriptedHttp((_request, response) => response.writeHead(201).end(`{"sid":"SM1"}`));
  // In the place of the stand-in, which keeps of the address only the id.
  Object.assign(world.config, { twilioApiBaseUrl: twilio.baseUrl });
  await world.startWorker();
  const { body } = await world.send(1, "sms");
  await until(() => twilio.heard.length > 0, { what: "Twilio was asked" });
  expect(twilio.heard[0]?.form.get("StatusCallback")).toBe(
    `${PUBLIC_URL}/v1/callbacks/twilio/status?message_id=${body.id}`,
  );
  await world.quiet();
  await world.stop();
  await twilio.close();
});
