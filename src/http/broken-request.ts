/** What never became a request: not HTTP, headers too large, or not there in time. Answered on the bare socket. */
import { STATUS_CODES, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { headersTooLarge, malformed, requestTimeout, type SluiceError } from "../domain/errors.ts";
import { requestIdOf } from "./answer-headers.ts";
import { rawProblem } from "./problem.ts";

const problemOf = (code: string): SluiceError => {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return requestTimeout();
  if (code === "HPE_HEADER_OVERFLOW") return headersTooLarge();
  return malformed("expected an HTTP/1.1 request");
};

/** Of each connection, the answer to the last request that came by it. */
const answers = new WeakMap<Socket, ServerResponse>();
const broken = new WeakSet<Socket>();

export const rememberAnswers = (server: Server): void => {
  server.on("request", ({ socket }, response) => answers.set(socket, response));
};

const answer = (problem: SluiceError, socket: Socket): void => {
  const requestId = requestIdOf({ headers: {} });
  const body = rawProblem(problem, requestId);
  if (socket.writable)
    socket.write(
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n` +
        `Content-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
        `X-Request-Id: ${requestId}\r\nConnection: close\r\n\r\n${body}`,
    );
  socket.destroySoon();
};

/** Answers come in the order of requests: one that was whole is answered first, or its caller would take this for its answer. */
export const answerBrokenRequest = (error: NodeJS.ErrnoException, socket: Socket): void => {
  // What comes behind the first broken bytes is broken, too, and is told of again.
  if (error.code === "ECONNRESET" || socket.destroyed || broken.has(socket)) return;
  broken.add(socket);
  const problem = problemOf(error.code ?? "");
  const before = answers.get(socket);
  if (before === undefined || before.closed || !before.req.complete) answer(problem, socket);
  else before.once("close", () => answer(problem, socket));
};
