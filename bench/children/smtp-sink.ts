/**
 * An SMTP server that takes everything in and does nothing with it: as little as the protocol allows, so that it is never
 * what is measured.
 */
import { createServer, type Socket } from "node:net";

export interface SmtpSink {
  readonly port: number;
  close(): void;
}

const END_OF_MAIL = "\r\n.\r\n";

const converse = (socket: Socket, onMail: (recipient: string) => void): void => {
  let text = "";
  let inMail = false;
  let recipient = "";
  const answers: Readonly<Record<string, (line: string) => string>> = {
    EHLO: () => "250-sink\r\n250 8BITMIME",
    RCPT: (line) => {
      recipient = /<([^>]*)>/.exec(line)?.[1] ?? "";
      return "250 ok";
    },
    DATA: () => {
      inMail = true;
      return "354 go on";
    },
    QUIT: () => "221 bye",
  };
  const readLine = (): boolean => {
    const end = text.indexOf("\r\n");
    if (end < 0) return false;
    const line = text.slice(0, end);
    text = text.slice(end + 2);
    const verb = line.slice(0, 4).toUpperCase();
    socket.write(`${answers[verb]?.(line) ?? "250 ok"}\r\n`);
    if (verb === "QUIT") socket.end();
    return true;
  };
  const readMail = (): boolean => {
    const end = text.indexOf(END_OF_MAIL);
    if (end < 0) return false;
    text = text.slice(end + END_OF_MAIL.length);
    inMail = false;
    onMail(recipient);
    socket.write("250 taken\r\n");
    return true;
  };
  socket.setEncoding("latin1");
  socket.setNoDelay(true);
  socket.on("data", (chunk: string) => {
    text += chunk;
    while (inMail ? readMail() : readLine());
  });
  socket.on("error", () => {});
  socket.write("220 sink ESMTP\r\n");
};

/** @param onMail when its last byte is there, before that is answered */
export const smtpSink = async (onMail: (recipient: string) => void): Promise<SmtpSink> => {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    converse(socket, onMail);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
};
