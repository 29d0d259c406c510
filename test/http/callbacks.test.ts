import { afterEach, describe, expect, it } from "@jest/globals";
import { request as rawRequest } from "node:http";
import { getExpectedTwilioSignature } from "twilio/lib/webhooks/webhooks.js";
import { idOf, newSeed } from "../../src/domain/id.ts";
import { instant } from "../../src/domain/time.ts";
import type { Form } from "../../src/http/services.ts";
import { isSigned } from "../../src/providers/twilio-callback.ts";
import { ADMIN_KEY } from "../support/fake-services.ts";
import { anApi, refused, type Api, type Asking } from "./api.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const PUBLIC_URL = "https://sluice.example.com";
const ID = idOf("msg", newSeed(instant(0)));
const PATH = `/v1/callbacks/twilio/status?message_id=${ID}`;
const DELIVERED = { MessageSid: "SM1", MessageStatus: "delivered", To: "+9779812345678", From: "Größe & Söhne+" };

let api: Api;
afterEach(() => api.close());

/** What was heard, of which message. */
const listening = async (options: Parameters<typeof anApi>[1] = {}) => {
  const heard: [id: string, form: Form][] = [];
  const callbacks = {
    twilio: {
      isSigned: (target: string, params: Form, signature: string) =>
        isSigned({ authToken: TOKEN, url: PUBLIC_URL + target, params, signature }),
      heard: async (id: string, form: Form) => void heard.push([id, { ...form }]),
    },
  };
  api = await anApi({ callbacks }, options);
  return heard;
};

const encoded = (form: Record<string, string | string[]>): string =>
  new URLSearchParams(
    Object.entries(form).flatMap(([name, value]) => [value].flat().map((each): [string, string] => [name, each])),
  ).toString();

const signed = (form: Record<string, string | string[]>, path = PATH): Asking => ({
  raw: encoded(form),
  headers: {
    "Content-Type": "application/x-www-form-urlencoded",
    "X-Twilio-Signature": getExpectedTwilioSignature(TOKEN, PUBLIC_URL + path, form),
  },
});
const tell = (asking: Asking, path = PATH) => api.ask("POST", path, asking);
const withHeaders = (asking: Asking, headers: Record<string, string>): Asking => ({
  ...asking,
  headers: { ...asking.headers, ...headers },
});

describe("what Twilio tells", () => {
  it("is heard when it is signed, and answered with nothing", async () => {
    const heard = await listening();
    const answer = await tell(signed(DELIVERED));
    expect([answer.status, answer.text]).toEqual([204, ""]);
    expect(heard).toEqual([[ID, DELIVERED]]);
  });

  it("is heard whatever the Host header says: a proxy's, or anybody's", async () => {
    const heard = await listening();
    const { raw, headers } = signed(DELIVERED);
    const status = await new Promise((resolve, reject) => {
      const request = rawRequest(
        {
          port: api.port,
          host: "127.0.0.1",
          method: "POST",
          path: PATH,
          headers: { ...headers, Host: "other.example" },
        },
        (response) => resolve(response.resume().statusCode),
      );
      request.on("error", reject).end(raw);
    });
    expect(status).toBe(204);
    expect(heard).toHaveLength(1);
  });

  it("is not believed over the address in the Host header", async () => {
    const heard = await listening();
    const { raw } = signed(DELIVERED);
    const own = getExpectedTwilioSignature(TOKEN, api.url + PATH, DELIVERED);
    const asking = withHeaders({ ...signed(DELIVERED), raw: raw ?? "" }, { "X-Twilio-Signature": own });
    await refused(api, () => tell(asking), 403, "forbidden");
    expect(heard).toEqual([]);
  });

  it("may have a field more than once", async () => {
    const heard = await listening();
    const form = { ...DELIVERED, MediaUrl: ["b", "a", "b"] };
    expect((await tell(signed(form))).status).toBe(204);
    expect(heard).toEqual([[ID, form]]);
  });

  it("keeps fields that JavaScript has names of its own for", async () => {
    const heard = await listening();
    const form = Object.fromEntries([...Object.entries(DELIVERED), ["__proto__", "x"], ["constructor", "y"]]);
    expect((await tell(signed(form))).status).toBe(204);
    expect(heard[0]?.[1]).toMatchObject({ constructor: "y" });
  });

  it("is answered in the same way when it tells of no message, or of none that could be ours", async () => {
    const heard = await listening();
    for (const path of [PATH.replace(/\?.*/, ""), PATH.replace(ID, "nothing"), PATH.replace(ID, "acc_1")])
      expect((await tell(signed(DELIVERED, path), path)).status).toBe(204);
    expect(heard).toEqual([]);
  });

  it("is heard again when it comes again: which of it is news is not for this route to say", async () => {
    const heard = await listening();
    for (let n = 0; n < 2; n++) expect((await tell(signed(DELIVERED))).status).toBe(204);
    expect(heard).toHaveLength(2);
  });

  it("does not wait behind guesses at keys, nor behind what others send unsigned from its address", async () => {
    const heard = await listening({ guessLimit: { perSecond: 0.001, burst: 1 } });
    for (let n = 0; n < 5; n++) await tell({ raw: encoded(DELIVERED) });
    for (let n = 0; n < 5; n++) expect((await tell(signed(DELIVERED))).status).toBe(204);
    expect(heard).toHaveLength(5);
  });
});

describe("what Twilio has not signed", () => {
  const good = signed(DELIVERED);
  it.each<[string, Asking, string?]>([
    ["a form with another value", { ...good, raw: encoded({ ...DELIVERED, MessageStatus: "failed" }) }],
    ["a form with one field more", { ...good, raw: `${encoded(DELIVERED)}&ErrorCode=30003` }],
    ["a form with a field twice", { ...good, raw: `${encoded(DELIVERED)}&MessageStatus=failed` }],
    ["no form", { headers: good.headers ?? {} }],
    ["another message", good, PATH.replace(ID, idOf("msg", newSeed(instant(1))))],
    ["more in the query", good, `${PATH}&message_id=x`],
    ["an empty signature", withHeaders(good, { "X-Twilio-Signature": "" })],
    ["two signatures", withHeaders(good, { "X-Twilio-Signature": `${good.headers?.["X-Twilio-Signature"]}, x` })],
    ["another's signature", withHeaders(good, { "X-Twilio-Signature": `${"A".repeat(27)}=` })],
    ["the operator's key in its place", { ...good, key: ADMIN_KEY, headers: { "Content-Type": "application/json" } }],
  ])("is refused: %s", async (_what, asking, path = PATH) => {
    const heard = await listening();
    await refused(api, () => tell(asking, path), 403, "forbidden");
    expect(heard).toEqual([]);
  });

  it("is not read beyond 64 KB, nor beyond 200 fields", async () => {
    const heard = await listening();
    await refused(api, () => tell({ ...good, raw: "a".repeat(65_537) }), 413, "payload_too_large");
    await refused(api, () => tell({ ...good, raw: "a&".repeat(200) }), 413, "payload_too_large");
    expect(heard).toEqual([]);
  });

  it("is refused as anything but a form, in this route's own words", async () => {
    await listening();
    const answer = await refused(
      api,
      () => tell({ ...withHeaders(good, { "Content-Type": "application/json" }), raw: "{}" }),
      415,
      "unsupported_media_type",
    );
    expect(answer.body["detail"]).toContain("application/x-www-form-urlencoded");
  });
});

it("is nowhere to be told while there is no Twilio, or no public address", async () => {
  api = await anApi({ callbacks: { twilio: null } });
  await refused(api, () => tell(signed(DELIVERED)), 404, "not_found");
});

it("leaves forms refused everywhere else", async () => {
  await listening();
  const { key } = await api.anAccount();
  const form = { key, raw: "to=x", headers: { "Content-Type": "application/x-www-form-urlencoded" } };
  await refused(api, () => api.ask("POST", "/v1/sms/send", form), 415, "unsupported_media_type");
});
