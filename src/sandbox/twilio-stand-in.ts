/** A stand-in for Twilio's REST API, at its real paths, on a loopback port. Written for the SDK, which talks to it. */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Channel } from "../domain/channel.ts";
import type { Clock } from "../domain/time.ts";
import type { OnArrival } from "./arrival.ts";
import { MAGIC_NUMBERS } from "./magic.ts";
import { spoken } from "./spoken.ts";
import { twilioStore } from "./twilio-store.ts";

export interface TwilioStandIn {
  readonly baseUrl: string;
  close(): Promise<void>;
}

export interface Credentials {
  readonly accountSid: string;
  readonly authToken: string;
}

/** Far above Twilio's own limits: a body of 1,600 characters, TwiML of 4,000. */
const LARGEST_REQUEST = 1_048_576;

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<{ [name: string]: string }>;
}

const refused = (status: number, code: number, message: string, headers = {}): Answer => ({
  status,
  body: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status },
  headers,
});

const form = async (request: IncomingMessage): Promise<URLSearchParams> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LARGEST_REQUEST) throw new RangeError("the request is too long");
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
};

const bare = (number: string): string => number.replace(/^whatsapp:/, "");
const channelOf = (kind: "Messages" | "Calls", to: string): Channel =>
  kind === "Calls" ? "voice" : to.startsWith("whatsapp:") ? "whatsapp" : "sms";

export const twilioStandIn = async (
  record: OnArrival,
  { accountSid, authToken }: Credentials,
  clock: Clock,
): Promise<TwilioStandIn> => {
  const store = twilioStore(accountSid);
  const expected = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString("base64")}`;

  const create = async (kind: "Messages" | "Calls", fields: URLSearchParams): Promise<Answer> => {
    const [to, from] = [fields.get("To") ?? "", fields.get("From") ?? ""];
    if (to === "") return refused(400, 21604, "A 'To' phone number is required.");
    if (from === "") return refused(400, 21603, "A 'From' phone number is required.");
    const magic = MAGIC_NUMBERS.find((number) => number.to === bare(to));
    if (magic !== undefined)
      return refused(
        magic.status,
        magic.code,
        magic.message,
        magic.retryAfterSeconds === undefined ? {} : { "Retry-After": String(magic.retryAfterSeconds) },
      );
    const body = kind === "Calls" ? spoken(fields.get("Twiml") ?? "") : (fields.get("Body") ?? "");
    if (body === "") return refused(400, kind === "Calls" ? 21205 : 21602, "Message body is required.");
    const sid = (kind === "Calls" ? "CA" : "SM") + randomBytes(16).toString("hex");
    const at = clock.now();
    const ours = /msg_\w+/.exec(fields.get("StatusCallback") ?? "")?.[0];
    await record({
      channel: channelOf(kind, to),
      to: bare(to),
      from: bare(from),
      body,
      received_at: new Date(at).toISOString(),
      message_id: ours ?? sid,
    });
    return { status: 201, body: store.add({ kind, sid, to, from, body, at }) };
  };

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const url = new URL(request.url ?? "/", "http://sandbox.invalid");
    const [, account, resource, sid] =
      /^\/2010-04-01\/Accounts\/(\w+)\/(Messages|Calls)(?:\/(\w+))?\.json$/.exec(url.pathname) ?? [];
    const kind = resource === "Messages" || resource === "Calls" ? resource : null;
    if (kind === null || account !== accountSid) return refused(404, 20404, "The requested resource was not found");
    if (request.headers.authorization !== expected) return refused(401, 20003, "Authenticate");
    if (request.method === "POST" && sid === undefined) return create(kind, await form(request));
    if (request.method !== "GET") return refused(405, 20004, "Method not allowed");
    if (sid === undefined) {
      const found = store.list(kind, { to: url.searchParams.get("To"), from: url.searchParams.get("From") });
      return {
        status: 200,
        body: { [kind.toLowerCase()]: found, page: 0, page_size: found.length, next_page_uri: null },
      };
    }
    const found = store.one(kind, sid);
    return found === null ? refused(404, 20404, "The requested resource was not found") : { status: 200, body: found };
  };

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // Not written down is not taken: 500, which the other side must read as "perhaps".
    const { status, body, headers } = await answer(request).catch(() =>
      refused(500, 20500, "An internal error has occurred"),
    );
    response.writeHead(status, { "Content-Type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };

  const server = createServer((request, response) => void respond(request, response));
  await new Promise<void>((listening, failed) => {
    server.once("error", failed);
    server.listen(0, "127.0.0.1", listening);
  });
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
};
