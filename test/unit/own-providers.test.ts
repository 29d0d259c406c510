import { describe, expect, it } from "@jest/globals";
import { hasOwnProvider, leavesAny } from "../../config/own-providers.ts";
import { CHANNELS } from "../../src/domain/channel.ts";

const bare = { httpProviders: {}, smtpUrl: null, twilio: null };
const service = {
  url: "https://sms.example.com/send",
  headers: {},
  body: {},
  providerId: null,
  permanent: null,
  secrets: [],
  notTaken: [],
  idempotent: false,
  from: null,
};
const everywhere = Object.fromEntries(CHANNELS.map((channel) => [channel, service]));
const twilio = { accountSid: `AC${"0".repeat(32)}`, authToken: "secret", from: null };

describe("a channel's own provider", () => {
  it.each([
    ["nothing", bare, []],
    ["a mail server", { ...bare, smtpUrl: "smtp://127.0.0.1:25" }, ["email"]],
    ["Twilio", { ...bare, twilio }, ["sms", "voice", "whatsapp"]],
    ["a service for texts", { ...bare, httpProviders: { sms: service } }, ["sms"]],
    ["a service for each", { ...bare, httpProviders: everywhere }, CHANNELS],
  ])("of %s", (_, config, own) => {
    expect(CHANNELS.filter((channel) => hasOwnProvider(config, channel)).toSorted()).toEqual([...own].toSorted());
    expect(leavesAny(config)).toBe(own.length < CHANNELS.length);
  });
});
