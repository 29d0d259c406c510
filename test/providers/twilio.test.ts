import { afterEach, describe, expect, it } from "@jest/globals";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { minutes, seconds } from "../../src/domain/time.ts";
import { twilioProvider, type TwilioOptions } from "../../src/providers/twilio.ts";
import { answerHeard } from "../support/answer-heard.ts";
import { aCall, anSms, aWhatsApp, CREATED_AT, ID, PATIENCE, unhurried } from "../support/dispatches.ts";
import { scriptedHttp } from "../support/scripted-http.ts";
import { until } from "../support/until.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each.close();
});

/** Too late for whoever waits, and time enough to be asked on a machine that is busy with other tests. */
const LATE = { timeout: seconds(2) };

const ACCOUNT = "AC00000000000000000000000000000001";

const providerFor = (baseUrl: string, more: Partial<TwilioOptions> = {}) =>
  twilioProvider({ accountSid: ACCOUNT, authToken: "secret", baseUrl, ...PATIENCE, ...more });

const server = async (answer: Parameters<typeof scriptedHttp>[0]) => {
  const scripted = await scriptedHttp(answer);
  opened.push(scripted);
  return scripted;
};

const replying = (status: number, body: string, headers: Record<string, string> = {}) =>
  server((_request, response) => response.writeHead(status, headers).end(body));

const CREATED = JSON.stringify({ sid: "SM1", status: "queued" });

describe("a request to Twilio", () => {
  it("of an SMS goes to the account's Messages, signed in, with the callback that names it", async () => {
    const twilio = await replying(201, CREATED);
    const provider = providerFor(twilio.baseUrl, { statusCallback: (id) => `https://sluice.example/cb/${id}` });
    expect(await provider.attempt(anSms(), unhurried())).toEqual({ kind: "sent", providerId: "SM1" });
    const [heard, ...others] = twilio.heard;
    expect(others).toHaveLength(0);
    expect(heard).toMatchObject({
      method: "POST",
      url: `/2010-04-01/Accounts/${ACCOUNT}/Messages.json`,
      authorization: `Basic ${Buffer.from(`${ACCOUNT}:secret`).toString("base64")}`,
    });
    expect(Object.fromEntries(heard?.form ?? [])).toEqual({
      To: "+9779812345678",
      From: "+15005550006",
      Body: "It works.",
      StatusCallback: `https://sluice.example/cb/${ID}`,
    });
  });

  it("of a WhatsApp message puts the prefix before both numbers", async () => {
    const twilio = await replying(201, CREATED);
    await providerFor(twilio.baseUrl).attempt(aWhatsApp(), unhurried());
    expect(Object.fromEntries(twilio.heard[0]?.form ?? [])).toEqual({
      To: "whatsapp:+9779812345678",
      From: "whatsapp:+15005550006",
      Body: "It works.",
    });
  });

  it("of a call goes to Calls, with what it says as TwiML", async () => {
    const twilio = await replying(201, JSON.stringify({ sid: "CA1" }));
    expect(await providerFor(twilio.baseUrl).attempt(aCall(), unhurried())).toEqual({
      kind: "sent",
      providerId: "CA1",
    });
    expect(twilio.heard[0]?.url).toBe(`/2010-04-01/Accounts/${ACCOUNT}/Calls.json`);
    expect(twilio.heard[0]?.form.get("Twiml")).toContain("<Response><Say>It works.</Say></Response>");
  });

  it("carries a body of any characters unchanged", async () => {
    const twilio = await replying(201, CREATED);
    const body = "a=b&To=+1900%20 ü 👋\n\"'<>+";
    await providerFor(twilio.baseUrl).attempt(anSms(undefined, body), unhurried());
    expect(twilio.heard[0]?.form.getAll("Body")).toEqual([body]);
    expect(twilio.heard[0]?.form.getAll("To")).toEqual(["+9779812345678"]);
  });

  it("keeps the path of a base URL, as a proxy has one", async () => {
    const twilio = await replying(201, CREATED);
    await providerFor(`${twilio.baseUrl}/proxy/`).attempt(anSms(), unhurried());
    expect(twilio.heard[0]?.url).toBe(`/proxy/2010-04-01/Accounts/${ACCOUNT}/Messages.json`);
  });

  it.each(["+1900,+1901", "+9779812345678\r\n", "whatsapp:+9779812345678", "9779812345678", "+٩٧٧٩٨١٢٣٤٥٦٧٨", ""])(
    "is not made for a recipient such as %j",
    async (to) => {
      const twilio = await replying(201, CREATED);
      expect(await providerFor(twilio.baseUrl).attempt(anSms(to), unhurried())).toMatchObject({ kind: "permanent" });
      expect(twilio.heard).toHaveLength(0);
    },
  );

  it("keeps fifty answers apart", async () => {
    const twilio = await server((_request, response) => {
      const to = twilio.heard.at(-1)?.form.get("To") ?? "";
      response.writeHead(201).end(JSON.stringify({ sid: `SM${to.slice(1)}` }));
    });
    const provider = providerFor(twilio.baseUrl);
    const numbers = Array.from({ length: 50 }, (_, n) => `+97798123456${10 + n}`);
    const outcomes = await Promise.all(numbers.map((to) => provider.attempt(anSms(to), unhurried())));
    expect(outcomes).toEqual(numbers.map((to) => ({ kind: "sent", providerId: `SM${to.slice(1)}` })));
  });
});

const outcomeOf = async (...reply: Parameters<typeof replying>) => {
  const twilio = await replying(...reply);
  const outcome = await providerFor(twilio.baseUrl).attempt(anSms(), unhurried());
  // Whatever it was: the adapter asks once.
  expect(twilio.heard).toHaveLength(1);
  return outcome;
};

describe("an answer of Twilio's", () => {
  it("of ten megabytes is read no further than one, and names no message", async () => {
    const outcome = await outcomeOf(201, `{"filler":"${"x".repeat(10_000_000)}","sid":"SM1"}`);
    expect(outcome).toMatchObject({ kind: "uncertain" });
  });

  it("of ten megabytes with a refusal is a refusal", async () => {
    expect(await outcomeOf(400, "x".repeat(10_000_000))).toMatchObject({ kind: "permanent" });
  });

  it("of HTML with status 200 may have sent it", async () => {
    const outcome = await outcomeOf(200, "<html>welcome</html>", { "Content-Type": "text/html" });
    expect(outcome).toMatchObject({ kind: "uncertain" });
  });

  it("429 is waited for as long as it says: in seconds or until a date", async () => {
    const throttled = { kind: "throttled", about: "channel" };
    const body = JSON.stringify({ code: 20429, message: "Too Many Requests" });
    expect(await outcomeOf(429, body, { "Retry-After": "17" })).toMatchObject({ ...throttled, retryIn: seconds(17) });
    expect(
      await outcomeOf(429, body, {
        "Retry-After": "Sun, 01 Mar 2026 10:02:00 GMT",
        Date: "Sun, 01 Mar 2026 10:00:00 GMT",
      }),
    ).toMatchObject({ ...throttled, retryIn: minutes(2) });
    expect(await outcomeOf(429, "slow down")).toMatchObject({ ...throttled, retryIn: seconds(5) });
  });

  it("500 may have sent it", async () => {
    expect(await outcomeOf(500, JSON.stringify({ code: 20500 }))).toMatchObject({ kind: "uncertain" });
  });

  it("that breaks off or never ends is judged by its status", async () => {
    type End = "reset" | "given up";
    const broken = async (status: number, headers: Record<string, string>, end: End) => {
      let socket: Socket | undefined;
      const twilio = await server((request, response) => {
        socket = request.socket;
        response.writeHead(status, { "Content-Length": "500", ...headers }).write("{");
      });
      const stop = new AbortController();
      const heard = answerHeard();
      const outcome = providerFor(twilio.baseUrl).attempt(anSms(), stop.signal);
      await heard;
      if (end === "reset") socket?.resetAndDestroy();
      else stop.abort();
      return outcome;
    };
    for (const end of ["reset", "given up"] as const) {
      expect(await broken(400, {}, end)).toMatchObject({ kind: "permanent" });
      expect(await broken(401, {}, end)).toMatchObject({ kind: "transient", called: false });
      expect(await broken(429, { "Retry-After": "17" }, end)).toMatchObject({ retryIn: seconds(17) });
      expect(await broken(201, {}, end)).toMatchObject({ kind: "uncertain" });
    }
  });

  it("401 loses nothing", async () => {
    expect(await outcomeOf(401, JSON.stringify({ code: 20003 }))).toMatchObject({ kind: "transient", called: false });
  });

  it("that sends us elsewhere is not followed", async () => {
    expect(await outcomeOf(307, "", { Location: "/elsewhere" })).toMatchObject({ kind: "transient", called: false });
  });
});

describe("no answer", () => {
  it("because nobody listens: nothing was called", async () => {
    const gone = createServer();
    await new Promise<void>((listening) => gone.listen(0, "127.0.0.1", listening));
    const { port } = gone.address() as AddressInfo;
    await new Promise((closed) => gone.close(closed));
    const outcome = await providerFor(`http://127.0.0.1:${port}`).attempt(anSms(), unhurried());
    expect(outcome).toMatchObject({ kind: "transient", called: false });
  });

  it("because the name does not exist, or TLS does not come about: nothing was called", async () => {
    const plain = await replying(201, CREATED);
    for (const url of ["http://nowhere.invalid", plain.baseUrl.replace("http:", "https:")])
      expect(await providerFor(url).attempt(anSms(), unhurried())).toMatchObject({ kind: "transient", called: false });
    expect(plain.heard).toHaveLength(0);
  });

  it("after the request was written, cut or too late: uncertain", async () => {
    const cut = await server((request) => request.socket.resetAndDestroy());
    expect(await providerFor(cut.baseUrl).attempt(anSms(), unhurried())).toMatchObject({ kind: "uncertain" });
    const halfway = await server((request, response) => {
      response.writeHead(201, { "Content-Length": "100" }).write('{"sid":"S', () => request.socket.destroy());
    });
    expect(await providerFor(halfway.baseUrl).attempt(anSms(), unhurried())).toMatchObject({ kind: "uncertain" });
    const silent = await server(() => {});
    const hurried = providerFor(silent.baseUrl, LATE);
    expect(await hurried.attempt(anSms(), unhurried())).toMatchObject({ kind: "uncertain" });
    expect([cut, halfway, silent].map(({ heard }) => heard.length)).toEqual([1, 1, 1]);
  });

  it("because the other side changes to another protocol: uncertain, and at once", async () => {
    const changing = await server((request) => {
      request.socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n");
    });
    expect(await providerFor(changing.baseUrl).attempt(anSms(), unhurried())).toMatchObject({ kind: "uncertain" });
  });

  it("an answer that drips ends at the deadline", async () => {
    const drips = await server((_request, response) => {
      response.writeHead(201);
      const timer = setInterval(() => response.write(" "), 5);
      response.on("close", () => clearInterval(timer));
    });
    const hurried = providerFor(drips.baseUrl, LATE);
    expect(await hurried.attempt(anSms(), unhurried())).toMatchObject({ kind: "uncertain" });
  });

  it("because it was stopped: before the request nothing was called, after it, who knows", async () => {
    const silent = await server(() => {});
    const provider = providerFor(silent.baseUrl);
    expect(await provider.attempt(anSms(), AbortSignal.abort())).toMatchObject({ kind: "transient", called: false });
    const stop = new AbortController();
    const outcome = provider.attempt(anSms(), stop.signal);
    await until(() => silent.heard.length);
    stop.abort();
    expect(await outcome).toMatchObject({ kind: "uncertain" });
  });
});

describe("Twilio's list of what it was given", () => {
  const LOST = { ...anSms(), beganAt: CREATED_AT };
  const EMPTY = JSON.stringify({ messages: [], next_page_uri: null });

  it("is asked for the texts between the two numbers, and has none of these words", async () => {
    const twilio = await replying(200, EMPTY);
    expect(await providerFor(twilio.baseUrl).find?.(LOST, unhurried())).toEqual({ kind: "absent" });
    const asked = new URL(twilio.heard[0]?.url ?? "", twilio.baseUrl);
    expect(asked.pathname).toBe(`/2010-04-01/Accounts/${ACCOUNT}/Messages.json`);
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({ To: "+9779812345678", From: "+15005550006" });
  });

  it.each<[string, Parameters<typeof replying>]>([
    ["an empty list of something else", [200, '{"errors":[]}']],
    ["one that is none", [200, '{"messages":{"0":1},"errors":[]}']],
    ["one with an error's status", [500, EMPTY]],
    ["half of one", [200, EMPTY.slice(0, 20)]],
  ])("says nothing where the answer is %s", async (_what, reply) => {
    const twilio = await replying(...reply);
    expect(await providerFor(twilio.baseUrl).find?.(LOST, unhurried())).toEqual({ kind: "unknown" });
  });

  it("says nothing where the answer sends us elsewhere, whose empty list is not Twilio's", async () => {
    const twilio = await server(({ url }, response) => {
      if (url === "/elsewhere") response.writeHead(200).end(EMPTY);
      else response.writeHead(302, { Location: "/elsewhere" }).end();
    });
    expect(await providerFor(twilio.baseUrl).find?.(LOST, unhurried())).toEqual({ kind: "unknown" });
    expect(twilio.heard).toHaveLength(1);
  });

  it("is read no further than it can be long", async () => {
    const chunk = Buffer.alloc(1_000_000, " ");
    let written = 0;
    const endless = await server((_request, response) => {
      const write = (): void => {
        if (response.destroyed) return;
        written += chunk.length;
        response.write(chunk, write);
      };
      write();
    });
    const provider = providerFor(endless.baseUrl, { timeout: seconds(5) });
    expect(await provider.find?.(LOST, unhurried())).toEqual({ kind: "unknown" });
    // What the sockets take in comes on top.
    expect(written).toBeLessThan(50_000_000);
  });
});

it("an account SID that is none is refused when the provider is made, without quoting it", () => {
  expect(() => twilioProvider({ accountSid: "SK123", authToken: "secret", ...PATIENCE })).toThrow(/begins with AC/);
});
