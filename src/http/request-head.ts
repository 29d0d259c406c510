/**
 * What HTTP asks of a request's head. Node would refuse some of it in an answer without a body and without an id, and
 * let some of it through: it is told to leave it all to us.
 */
import type { IncomingMessage, Server } from "node:http";
import { malformed, quoted, type SluiceError } from "../domain/errors.ts";

/** For Node's server: a request without a Host reaches us. */
export const LEAVES_HOST_TO_US = { requireHostHeader: false } as const;

/** A request that expects anything but `100-continue`, which Node would answer by itself, comes as any other. */
export const takeExpectations = (server: Server): void => {
  server.on("checkExpectation", (request, response) => server.emit("request", request, response));
};

/** How often each of the headers is there that have one value. `headers` has the first only. */
const timesOf = ({ rawHeaders }: IncomingMessage) => {
  const times = { host: 0, "content-type": 0, authorization: 0 };
  // Names and values in turn.
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (name.length !== 4 && name.length !== 12 && name.length !== 13) continue;
    const known = name.toLowerCase();
    if (known === "host" || known === "content-type" || known === "authorization") times[known]++;
  }
  return times;
};

/**
 * Null: none. HTTP/1.1 has one Host (RFC 9112, 3.2), and every request one Content-Type and one Authorization at most: of two, a
 * proxy before us may have gone by the other. HTTP/1.0 may have no Host, and its Expect means nothing (RFC 9110, 10.1.1), where 1.1 knows one. Of a transfer coding Node asks only that
 * `chunked` is the last: what else there is nobody would take off, and the body would be read as it is.
 */
export const headProblem = (request: IncomingMessage): SluiceError | null => {
  const isOld = request.httpVersion === "1.0";
  const { host, authorization, "content-type": types } = timesOf(request);
  if (host > 1 || (host === 0 && !isOld)) return malformed(`expected one header Host, got ${host}`);
  if (authorization > 1) return malformed(`expected one header Authorization at most, got ${authorization}`);
  if (types > 1) return malformed(`expected one header Content-Type at most, got ${types}`);
  const { expect, "transfer-encoding": coding } = request.headers;
  if (coding !== undefined && coding.toLowerCase() !== "chunked")
    return malformed(`expected the header Transfer-Encoding to be chunked, got ${quoted(coding)}`);
  if (isOld || expect === undefined || expect.toLowerCase() === "100-continue") return null;
  return malformed(`expected the header Expect to be 100-continue, got ${quoted(expect)}`);
};
