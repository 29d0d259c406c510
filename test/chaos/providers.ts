/** The providers' side: a mail server and a stand-in for Twilio that write down, synced, what they take before they answer. */
import { createHash } from "node:crypto";
import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { instant, systemClock } from "../../src/domain/time.ts";
import type { Channel } from "../../src/domain/channel.ts";
import type { Arrival } from "../../src/sandbox/arrival.ts";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { silent } from "../start/scratch.ts";
import { behaviourOf, latencyOf, type Behaviour } from "./behaviour.ts";
import type { RunClock } from "./clock.ts";
import type { Dice } from "./dice.ts";
import { markerIn, type ProviderEntry } from "./entries.ts";
import type { Ledger } from "./ledger.ts";

export interface ProviderParts {
  readonly ledger: Ledger<ProviderEntry>;
  readonly clock: RunClock;
  readonly dice: Dice;
  readonly withStalls: boolean;
  readonly realNow: () => number;
}

/** A retry is asked for in a second: longer, and a channel that is closed for everybody would idle through its windows. */
const SOON = "try again in 1 seconds";
const MAIL_REPLIES: { readonly [behaviour in Behaviour]?: readonly [code: number, text: string] } = {
  "421": [421, `4.7.0 too many connections, ${SOON}`],
  "450": [450, `4.7.28 rate limit exceeded, ${SOON}`],
  "451": [451, "4.3.0 local error, not now"],
  "550": [550, "5.7.1 refused by policy"],
};
const TWILIO_REPLIES: { readonly [behaviour in Behaviour]?: readonly [status: number, code: number] } = {
  "429": [429, 20429],
  "400": [400, 21612],
  "500": [500, 20500],
  "500 taken": [500, 20500],
};
/** As mail-server.ts reads what is thrown: a reply, or (0) to hang up without one. */
const thrown = (code: number, text: string): Error => Object.assign(new Error(text), { responseCode: code });

const channelOf = (marker: string): Channel => (/^m-\d+-([a-z]+)-/.exec(marker)?.[1] ?? "email") as Channel;

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
};

export const startProviders = async ({ ledger, clock, dice, withStalls, realNow }: ProviderParts) => {
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  const attempts = new Map<string, number>();
  /** What the mail server and the stand-in are about to take, by marker: chosen before, noted when it is taken. */
  const chosen = new Map<string, Behaviour>();
  /** When the attempts at which no answer will come began. */
  const stalls: number[] = [];

  let busy = 0;
  let idleSince = 0;
  const choose = async (marker: string): Promise<Behaviour> => {
    busy++;
    const attempt = (attempts.get(marker) ?? 0) + 1;
    attempts.set(marker, attempt);
    const behaviour = behaviourOf(dice, withStalls, channelOf(marker), marker, attempt);
    await wait(latencyOf(dice, marker, attempt), undefined, { signal: ending.signal }).catch(() => {});
    busy--;
    idleSince = realNow();
    return behaviour;
  };
  const note = async (kind: ProviderEntry["kind"], marker: string, behaviour: Behaviour, letter: string) => {
    const at = await clock.stamp();
    await ledger.append({ kind, marker, channel: channelOf(marker), at, realAt: realNow(), behaviour, letter });
  };
  const stalled = async (): Promise<void> => {
    stalls.push(realNow());
    // RFC 5321's ten minutes for the reply to the final dot. The attempt gives up long before.
    await wait(600_000, undefined, { signal: ending.signal }).catch(() => {});
  };

  const letterOf = ({ message_id, body = "" }: Arrival): string =>
    `${message_id} ${createHash("sha256").update(body).digest("hex").slice(0, 12)}`;

  const takeMail = async (arrival: Arrival): Promise<void> => {
    const marker = markerIn(arrival.subject ?? "");
    const behaviour = await choose(marker);
    const reply = MAIL_REPLIES[behaviour];
    const taken = reply === undefined && behaviour !== "dropped";
    await note(taken ? "arrival" : "refused", marker, behaviour, letterOf(arrival));
    if (reply) throw thrown(...reply);
    if (behaviour === "stall") await stalled();
    if (behaviour !== "fine") throw thrown(0, behaviour);
  };

  const sandbox = await startSandbox({
    record: async (arrival) => {
      if (arrival.channel === "email") return takeMail(arrival);
      const marker = markerIn(arrival.body ?? "");
      await note("arrival", marker, chosen.get(marker) ?? "fine", letterOf({ ...arrival, message_id: "" }));
    },
    log: silent,
    clock: { now: () => instant(clock.now()), monotonic: systemClock.monotonic },
  });

  /** Before the stand-in, so that what it answers can be cut, held back or spoilt. */
  const front = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request);
    const forward = () =>
      fetch(sandbox.twilio.baseUrl + (request.url ?? ""), {
        method: request.method ?? "GET",
        headers: {
          authorization: request.headers.authorization ?? "",
          "content-type": "application/x-www-form-urlencoded",
        },
        ...(request.method === "POST" ? { body } : {}),
      });
    const relay = async (): Promise<void> => {
      const answer = await forward();
      response.writeHead(answer.status, { "Content-Type": "application/json" }).end(await answer.text());
    };
    if (request.method !== "POST") return relay();
    const fields = new URLSearchParams(body);
    const marker = markerIn(fields.get("Body") ?? fields.get("Twiml") ?? "");
    const behaviour = await choose(marker);
    chosen.set(marker, behaviour);
    if (behaviour === "fine") return relay();
    const refusal = TWILIO_REPLIES[behaviour];
    if (["lost", "stall", "malformed", "500 taken"].includes(behaviour)) await forward();
    else await note("refused", marker, behaviour, "");
    if (behaviour === "stall") await stalled();
    if (refusal) {
      const [status, code] = refusal;
      response.writeHead(status, {
        "Content-Type": "application/json",
        ...(status === 429 ? { "Retry-After": "1" } : {}),
      });
      response.end(JSON.stringify({ code, message: "as the dice fell", status }));
    } else if (behaviour === "malformed") response.writeHead(200).end('{"sid": "SM');
    else request.socket.destroy();
  };
  const server = createServer((request, response) => {
    front(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));

  return {
    env: {
      SMTP_URL: sandbox.smtpUrl,
      TWILIO_ACCOUNT_SID: sandbox.twilio.accountSid,
      TWILIO_AUTH_TOKEN: sandbox.twilio.authToken,
      TWILIO_FROM: sandbox.twilio.from,
      TWILIO_API_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    },
    /** When an attempt was last looked at, ms since the run began. */
    lastBusyAt: (): number => (busy > 0 ? realNow() : idleSince),
    /** When the last attempt began that is not answered, ms since the run began. */
    lastStallAt: (): number => stalls.at(-1) ?? -Infinity,
    close: async (): Promise<void> => {
      ending.abort();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await sandbox.close();
    },
  };
};
