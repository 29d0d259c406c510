/** Bytes on a bare socket, as no client library would send them, and what came back. */
import { connect } from "node:net";

export interface WireAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  /** Everything, should there be more than one answer. */
  readonly heard: string;
}

/** @param bytes a list is written piece by piece, the next once the one before has been handed over */
export const onTheWire = (
  port: number,
  bytes: readonly (string | Buffer)[],
  { halfClose = false }: { halfClose?: boolean } = {},
): Promise<WireAnswer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const done = (): void => {
      socket.destroy();
      const heard = Buffer.concat(chunks).toString("utf8");
      const end = heard.indexOf("\r\n\r\n");
      resolve({
        status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(heard)?.[1] ?? 0),
        type: /^content-type: *(.*?)\r$/im.exec(heard.slice(0, end + 2))?.[1] ?? "",
        body: end < 0 ? "" : (heard.slice(end + 4).split(/HTTP\/1\.1 \d{3} /)[0] ?? ""),
        heard,
      });
    };
    socket.setTimeout(20_000, () => reject(new Error("no answer within 20 s")));
    socket.on("data", (chunk) => void chunks.push(chunk));
    socket.on("end", done);
    // A server that has answered may close while we still write: what it said before that is the answer.
    socket.on("error", (error) => (chunks.length > 0 ? done() : reject(error)));
    socket.on("connect", () => {
      const write = (at: number): void => {
        const piece = bytes[at];
        if (piece === undefined) {
          if (halfClose) socket.end();
        } else socket.write(piece, () => write(at + 1));
      };
      write(0);
    });
  });
