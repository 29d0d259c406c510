/** The sandbox's mail server: a real one, on a loopback port. Everything is accepted, but for the magic recipients. */
import { setTimeout as pause } from "node:timers/promises";
import PostalMime from "postal-mime";
import { SMTPServer, type SMTPServerSession } from "smtp-server";
import { type Clock, type Millis } from "../domain/time.ts";
import type { Arrival, OnArrival } from "./arrival.ts";
import { MAGIC_ADDRESSES, type MagicAddress } from "./magic.ts";

export interface MailServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Four times what the API takes: encoded, a message grows by a third. */
const LARGEST_MAIL = 1_048_576;

const refusal = (code: number, text: string): Error => Object.assign(new Error(text), { responseCode: code });

const magicOf = (address: string): MagicAddress | undefined =>
  MAGIC_ADDRESSES.find((magic) => magic.to === address.toLowerCase());

const arrivalOf = async (raw: Buffer, { envelope }: SMTPServerSession, clock: Clock): Promise<Arrival> => {
  const mail = await PostalMime.parse(raw);
  const id = mail.messageId ?? "";
  return {
    channel: "email",
    // The envelope's: who got it is a fact, what its headers say is a text.
    to: envelope.rcptTo.map((to) => to.address).join(", "),
    from: envelope.mailFrom === false ? "" : envelope.mailFrom.address,
    subject: mail.subject ?? "",
    body: (mail.text ?? mail.html ?? "").replace(/\r?\n$/, ""),
    received_at: new Date(clock.now()).toISOString(),
    message_id: /^<(msg_\w+)@/.exec(id)?.[1] ?? id.replace(/^<|>$/g, ""),
  };
};

const collected = async (stream: AsyncIterable<Buffer>): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
};

/** smtp-server has no word for "answer nothing and hang up": the connection is looked up and closed. */
const hangUp = (server: SMTPServer, session: SMTPServerSession): void => {
  for (const connection of server.connections as Set<{ session: SMTPServerSession; close(): void }>)
    if (connection.session === session) connection.close();
};

export const mailServer = async (record: OnArrival, clock: Clock, slowFor: Millis): Promise<MailServer> => {
  const closing = new AbortController();
  const server = new SMTPServer({
    name: "sandbox.invalid",
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    size: LARGEST_MAIL,
    logger: false,
    // Clients keep pooled connections open; closing the sandbox does not wait for them to be done with theirs.
    closeTimeout: 100,
    onRcptTo: (address, _session, done) => {
      const reply = magicOf(address.address)?.reply;
      done(reply === undefined ? null : refusal(reply.code, reply.text));
    },
    onData: (stream, session, done) => {
      const receive = async (): Promise<void> => {
        const raw = await collected(stream);
        if (stream.sizeExceeded) throw refusal(552, "5.3.4 the message is too big");
        const magic = session.envelope.rcptTo.map((to) => magicOf(to.address));
        if (magic.some((each) => each?.slow)) await pause(slowFor, undefined, { signal: closing.signal });
        await record(await arrivalOf(raw, session, clock));
        if (magic.some((each) => each?.lost)) throw refusal(0, "lost");
      };
      const answer = async (): Promise<void> => {
        try {
          await receive();
        } catch (thrown) {
          const { responseCode, message } = thrown as Error & { responseCode?: number };
          if (responseCode === 0) hangUp(server, session);
          else
            done(
              responseCode === undefined
                ? refusal(451, "4.3.0 the arrival could not be written down")
                : refusal(responseCode, message),
            );
          return;
        }
        done(null, "2.0.0 taken");
      };
      void answer();
    },
  });
  // A client that resets its connection is not an event worth ending the process for.
  server.on("error", () => {});
  await new Promise<void>((listening, failed) => {
    server.server.once("error", failed);
    server.listen(0, "127.0.0.1", () => listening());
  });
  const address = server.server.address();
  return {
    port: address !== null && typeof address === "object" ? address.port : 0,
    close: () =>
      new Promise((closed) => {
        closing.abort();
        server.close(() => closed());
      }),
  };
};
