/** A server that gives recorded answers, one after the other, over a real socket, and notes what it was asked. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** An answer; "cut": the connection breaks off once the request is in; "silent": none comes. */
export type Recorded =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
      readonly body?: unknown;
    }
  | "cut"
  | "silent";

export interface Asked {
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const give = (recorded: Recorded, response: ServerResponse): void => {
  if (recorded === "silent") return;
  if (recorded === "cut") {
    response.socket?.resetAndDestroy();
    return;
  }
  const { status, headers = {}, body } = recorded;
  response.writeHead(status, { "Content-Type": "application/json", ...headers } as never);
  response.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
};

export const recordedServer = async (script: readonly Recorded[] | ((asked: Asked) => Recorded)) => {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (text += chunk));
    request.on("end", () => {
      const one = { line: `${request.method} ${request.url}`, headers: request.headers, body: text };
      asked.push(one);
      const answer = typeof script === "function" ? script(one) : script[asked.length - 1];
      give(answer ?? { status: 500, body: { code: "script_is_over" } }, response);
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
};
