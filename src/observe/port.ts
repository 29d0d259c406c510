/**
 * A small port for whoever watches a worker, which listens on none unless it is told to (SLUICE_WORKER_PORT):
 * `/healthz`, and `/metrics` with what only this process knows: attempts, gate passes, the time that scripts take.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { milliseconds } from "../domain/time.ts";
import type { Metrics } from "./metrics.ts";

export interface WatchPort {
  readonly host: string;
  readonly port: number;
  readonly metrics: Pick<Metrics, "text" | "contentType">;
  /** Metrics are not for everybody who can reach the port. */
  readonly mayLook: (request: IncomingMessage) => boolean;
}

/** A request here has no body and a few headers. */
const PATIENCE = milliseconds(5_000);

const say = (response: ServerResponse, status: number, text: string, type = "text/plain; charset=utf-8"): void => {
  response.writeHead(status, { "content-type": type, "x-content-type-options": "nosniff" }).end(text);
};

/** @returns what closes it. @throws EADDRINUSE */
export const openWatchPort = async ({ host, port, metrics, mayLook }: WatchPort): Promise<() => Promise<void>> => {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? "").split("?")[0];
    if (request.method !== "GET" && request.method !== "HEAD") say(response, 405, "GET\n");
    else if (path === "/healthz") say(response, 200, "alive\n");
    else if (path !== "/metrics") say(response, 404, "/healthz or /metrics\n");
    else if (mayLook(request)) say(response, 200, await metrics.text(), metrics.contentType);
    else say(response, 401, "the operator's key, or loopback\n");
  };
  const server = createServer({ headersTimeout: PATIENCE, requestTimeout: PATIENCE }, (request, response) => {
    answer(request, response).catch(() => say(response, 500, "the metrics could not be read\n"));
  });
  server.listen(port, host);
  await once(server, "listening");
  return async () => {
    server.close();
    server.closeAllConnections();
  };
};
