/** SMS, WhatsApp and voice through Twilio. */
import twilio from "twilio";
import type { TextContent, VoiceContent } from "../domain/message.ts";
import type { Outcome } from "../domain/outcome.ts";
import { type Clock, type Millis, milliseconds, systemClock } from "../domain/time.ts";
import { deadline } from "./deadline.ts";
import { exchange, type Exchanged } from "./exchange.ts";
import { discreet } from "./echo.ts";
import type { Dispatch, Lost, Provider } from "./provider.ts";
import { foundIn, type Found } from "./search.ts";
import { type TwilioEvidence, twilioOutcome } from "./twilio-outcome.ts";
import { twimlOf } from "./twiml.ts";

export interface TwilioOptions {
  readonly accountSid: string;
  readonly authToken: string;
  /** Where the SDK's requests go instead of https://api.twilio.com. */
  readonly baseUrl?: string;
  /** The address that Twilio is to call about a message, if there is one. */
  readonly statusCallback?: (messageId: string) => string | undefined;
  /** The whole attempt. */
  readonly timeout: Millis;
  /** From `begin` to the start of the attempt, at most: a text that was created later than both together is another's. */
  readonly callBudget: Millis;
  /** For a Retry-After that is a date and comes without a Date header. */
  readonly clock?: Clock;
  /** Called when Twilio has been given the whole request and has not answered. */
  readonly onWritten?: () => void;
}

type Client = ReturnType<typeof twilio>;
type HttpClient = NonNullable<NonNullable<Parameters<typeof twilio>[2]>["httpClient"]>;
type SdkRequest = Parameters<HttpClient["request"]>[0];

/** Texts between two numbers that are looked through: the newest come first. */
const NEWEST = 100;
/** So many of 1,600 characters, each of them escaped, are 1.2 MB. Whatever is longer is read no further. */
const LONGEST_LIST = 4_000_000;

const E164 = /^\+[1-9]\d{6,14}$/;

/** The SDK's request, sent to `baseUrl`: path and query are kept, and a path of the base URL goes before them. */
const addressOf = (uri: string, baseUrl: string | undefined): URL => {
  const asked = new URL(uri);
  return baseUrl === undefined ? asked : new URL(baseUrl.replace(/\/+$/, "") + asked.pathname + asked.search);
};

const questionOf = (sdk: SdkRequest, baseUrl: string | undefined) => ({
  url: addressOf(sdk.uri, baseUrl),
  headers: {
    ...(sdk.headers as Record<string, string>),
    Authorization: `Basic ${Buffer.from(`${sdk.username}:${sdk.password}`).toString("base64")}`,
  },
  body: new URLSearchParams(sdk.data as Record<string, string>).toString(),
});

/** By hand and not with the SDK's own client: it loses the headers (Retry-After) and reads answers of any size. */
const evidenceOf = (exchanged: Exchanged): TwilioEvidence => {
  if (exchanged.kind === "no_reply") return exchanged;
  const { headers, ...reply } = exchanged;
  return { ...reply, retryAfter: headers["retry-after"], date: headers.date };
};

const create = async (client: Client, message: Dispatch, statusCallback: string | undefined): Promise<unknown> => {
  const { recipient: to, sender: from } = message;
  const callback = statusCallback === undefined ? {} : { statusCallback };
  if (message.channel === "voice")
    return client.calls.create({ to, from, twiml: twimlOf(message.content as VoiceContent), ...callback });
  const { body } = message.content as TextContent;
  if (message.channel === "whatsapp")
    return client.messages.create({ to: `whatsapp:${to}`, from: `whatsapp:${from}`, body, ...callback });
  return client.messages.create({ to, from, body, ...callback });
};

/**
 * The SDK takes whatever array it finds in an answer for the list; an empty one that is something else would say that there is no
 * such text, which is a reason to send it again.
 */
const listIn = async (answer: Response): Promise<unknown> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body ?? []) {
    length += chunk.length;
    if (length > LONGEST_LIST) throw new RangeError("the list is too long");
    chunks.push(chunk);
  }
  const list: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  if (!Array.isArray((list as { messages?: unknown } | null)?.messages))
    throw new TypeError("it is no list of messages");
  return list;
};

export const twilioProvider = (options: TwilioOptions): Provider => {
  const { accountSid, authToken, baseUrl, timeout, callBudget, clock = systemClock } = options;
  if (!/^AC\w+$/.test(accountSid)) throw new Error("expected an account SID, which begins with AC, got something else");

  const createdWithin = milliseconds(callBudget + timeout);
  // A client for each request, so that its answer cannot be another's: it opens nothing by itself. Empty region and edge,
  // or the SDK would look for its own variables in the environment.
  const clientOver = (httpClient: {
    request(sdk: SdkRequest): Promise<{ statusCode: number; body: unknown }>;
  }): Client =>
    twilio(accountSid, authToken, { httpClient: httpClient as unknown as HttpClient, region: "", edge: "" });

  const search = async (lost: Lost, signal: AbortSignal): Promise<Found> => {
    const prefix = lost.channel === "whatsapp" ? "whatsapp:" : "";
    const client = clientOver({
      request: async (sdk) => {
        const { url, headers } = questionOf(sdk, baseUrl);
        for (const [name, value] of Object.entries(sdk.params ?? {})) url.searchParams.set(name, String(value));
        // No more than a message is: what is not there may be where we were told to go from.
        const answer = await fetch(url, { headers, signal, redirect: "error" });
        return { statusCode: answer.status, body: await listIn(answer) };
      },
    });
    const [to, from] = [prefix + lost.recipient, prefix + lost.sender];
    const listed = await client.messages.list({ to, from, limit: NEWEST, pageSize: NEWEST });
    const sought = { body: (lost.content as TextContent).body, beganAt: lost.beganAt, createdWithin, atMost: NEWEST };
    return foundIn(sought, listed);
  };

  /** The SDK builds the request; its own reading of the answer is thrown away, and the evidence judged instead. */
  const ask = async (message: Dispatch, signal: AbortSignal): Promise<TwilioEvidence | null> => {
    let evidence: TwilioEvidence | null = null;
    const httpClient = {
      request: async (sdk: SdkRequest) => {
        evidence = evidenceOf(await exchange(questionOf(sdk, baseUrl), signal, options.onWritten));
        return { statusCode: evidence.kind === "reply" ? evidence.status : 500, body: "{}" };
      },
    };
    const client = clientOver(httpClient);
    await create(client, message, options.statusCallback?.(message.id)).catch(() => {});
    return evidence;
  };

  return {
    name: "twilio",
    channels: ["sms", "whatsapp", "voice"],
    attempt: async (message: Dispatch, signal: AbortSignal): Promise<Outcome> => {
      if (!E164.test(message.recipient)) return { kind: "permanent", why: "to: expected one number in E.164" };
      const limit = deadline(signal, timeout);
      try {
        const evidence = await ask(message, limit.signal);
        if (evidence === null)
          return { kind: "permanent", why: "Twilio's SDK could not make a request of this message" };
        return discreet(twilioOutcome(evidence, clock.now()), message, [authToken]);
      } finally {
        limit.lift();
      }
    },
    find: async (lost, signal) => {
      const limit = deadline(signal, timeout);
      const found = await search(lost, limit.signal).catch((): Found => ({ kind: "unknown" }));
      limit.lift();
      return found;
    },
    close: async () => {},
  };
};
