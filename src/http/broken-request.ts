/** What never became a request: not HTTP, headers too large, or not there in time. Answered on the bare socket. */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { headersTooLarge, malformed, requestTimeout, type SluiceError } from "../domain/errors.ts";
import { requestIdOf } from "./answer-headers.ts";
import { rawProblem } from "./problem.ts";

const problemOf = (code: string): SluiceError => {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return requestTimeout();
  if (code === "HPE_HEADER_OVERFLOW") return headersTooLarge();
  return malformed("expected an HTTP/1.1 request");
};

export const answerBrokenRequest = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  const problem = problemOf(error.code ?? "");
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
