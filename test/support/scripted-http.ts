/** An HTTP server that does as it is told, in the place of Twilio. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Heard {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly form: URLSearchParams;
}

export interface ScriptedHttp {
  readonly baseUrl: string;
  /** The requests that came in whole. */
  readonly heard: Heard[];
  close(): Promise<void>;
}

export const scriptedHttp = async (
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<ScriptedHttp> => {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => {
      text += chunk;
    });
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      heard.push({ method, url, authorization: headers.authorization, form: new URLSearchParams(text) });
      answer(request, response);
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
};
