/** A mail server that does as it is told, however wrong: what real ones do on bad days. */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** `greeting` comes first; `data` answers DATA; `dot` answers the end of the message. */
export type Moment = "greeting" | "ehlo" | "auth" | "mail" | "rcpt" | "data" | "dot";

/** A reply (lines joined with \n, no final break), HANG, DROP, or a drop in the middle of the message. */
export type Step = string | { readonly dropAfterBytes: number };
export const HANG = "hang";
export const DROP = "drop";

const USUAL: Readonly<Record<Moment, Step>> = {
  greeting: "220 scripted",
  ehlo: "250-scripted\n250 8BITMIME",
  auth: "235 2.7.0 welcome",
  mail: "250 2.1.0 ok",
  rcpt: "250 2.1.5 ok",
  data: "354 go on",
  dot: "250 2.0.0 ok: queued as SCRIPTED",
};

const momentOf = (line: string): Moment | null => {
  const verb = line.slice(0, 4).toUpperCase();
  if (verb === "EHLO" || verb === "HELO") return "ehlo";
  if (verb === "AUTH") return "auth";
  if (verb === "MAIL") return "mail";
  if (verb === "RCPT") return "rcpt";
  return verb === "DATA" ? "data" : null;
};

export interface ScriptedSmtp {
  readonly url: string;
  /** The commands heard, over all connections. */
  readonly heard: string[];
  /** The messages whose dot was read. */
  readonly messages: string[];
  readonly connections: () => number;
  /** Ends the connections that stand, as a server does with idle ones. */
  dropAll(): void;
  close(): Promise<void>;
}

/** `script` is asked anew at each moment, with how many connections there have been. */
export const scriptedSmtp = async (
  script: Partial<Record<Moment, Step>> | ((moment: Moment, connection: number) => Step | undefined),
): Promise<ScriptedSmtp> => {
  const heard: string[] = [];
  const messages: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;

  const serve = (socket: Socket): void => {
    const connection = ++connections;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    let text = "";
    let inData = false;
    let dropAt = Number.POSITIVE_INFINITY;

    const act = (moment: Moment): void => {
      const told = typeof script === "function" ? script(moment, connection) : script[moment];
      const step = told ?? USUAL[moment];
      if (step === HANG) return;
      if (step === DROP) socket.resetAndDestroy();
      else if (typeof step === "object") {
        dropAt = step.dropAfterBytes;
        inData = true;
        socket.write("354 go on\r\n");
      } else {
        if (moment === "data" && step.startsWith("3")) inData = true;
        socket.write(`${step.replaceAll("\n", "\r\n")}\r\n`);
      }
    };

    const read = (): void => {
      if (inData) {
        if (text.length >= dropAt) return void socket.resetAndDestroy();
        const end = text.indexOf("\r\n.\r\n");
        if (end < 0) return;
        messages.push(text.slice(0, end));
        text = text.slice(end + 5);
        inData = false;
        act("dot");
      }
      for (;;) {
        const at = text.indexOf("\r\n");
        if (at < 0 || inData) break;
        const line = text.slice(0, at);
        text = text.slice(at + 2);
        heard.push(line);
        const moment = momentOf(line);
        if (moment !== null) act(moment);
        else if (line === "STARTTLS") socket.write("454 4.7.0 no TLS today\r\n");
        else if (line.startsWith("QUIT")) socket.end("221 bye\r\n");
        else socket.write("250 ok\r\n");
      }
      if (inData && text.length > 0) read();
    };

    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      read();
    });
    act("greeting");
  };

  const server: Server = createServer(serve);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    messages,
    connections: () => connections,
    dropAll: () => sockets.forEach((socket) => socket.destroy()),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        sockets.forEach((socket) => socket.destroy());
      }),
  };
};
