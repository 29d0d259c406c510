/**
 * One HTTP request to a provider: what came back, and how far it got. Neither fetch nor Twilio's SDK can tell whether a
 * request that failed had left, which is "try again" against "it may have been sent".
 */
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

export type Exchanged =
  | {
      readonly kind: "reply";
      readonly status: number;
      /** What of the body was read: cut off at a limit, or by a lost connection. */
      readonly body: string;
      readonly headers: IncomingHttpHeaders;
    }
  /** No reply. `written` once a byte of the request may have reached the network. */
  | { readonly kind: "no_reply"; readonly written: boolean; readonly trouble: string };

/** What a provider says of one message is a few KB. Whatever is longer is read no further. */
const LONGEST_ANSWER = 1_000_000;

export interface HttpQuestion {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const read = (answer: IncomingMessage, done: (body: string) => void): void => {
  const chunks: Buffer[] = [];
  let length = 0;
  const end = () => done(Buffer.concat(chunks).toString("utf8"));
  answer.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length <= LONGEST_ANSWER) chunks.push(chunk);
    else answer.destroy();
  });
  // "close" comes after the end, a cut and our own destroy alike: what was read by then is what is judged.
  answer.once("close", end);
  answer.once("error", () => {});
};

export const exchange = (question: HttpQuestion, signal: AbortSignal, onWritten?: () => void): Promise<Exchanged> =>
  new Promise((settle) => {
    const secure = question.url.protocol === "https:";
    let written = false;
    let answered = false;
    let request: ClientRequest;
    const noReply = (trouble: string) => settle({ kind: "no_reply", written, trouble });
    try {
      request = (secure ? httpsRequest : httpRequest)(question.url, {
        method: "POST",
        headers: { ...question.headers, "Content-Length": Buffer.byteLength(question.body), Connection: "close" },
        // A new connection each time: one kept alive that the provider has just closed reads the same as one lost after
        // the request was written, and would make messages uncertain for nothing.
        agent: false,
        signal,
      });
    } catch (error) {
      noReply(`the request could not be made: ${String(error)}`);
      return;
    }
    request.once("socket", (socket) => {
      // Node writes the request in the same turn in which the connection stands.
      socket.once(secure ? "secureConnect" : "connect", () => {
        written = true;
      });
    });
    if (onWritten) request.once("finish", onWritten);
    request.once("response", (answer) => {
      answered = true;
      read(answer, (body) =>
        settle({
          kind: "reply",
          status: answer.statusCode ?? 0,
          body,
          headers: answer.headers,
        }),
      );
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      // What came of an answer that breaks off is told by its own "close": its status has decided.
      if (answered) return;
      const what = signal.aborted ? "no answer in time" : (error.code ?? error.message);
      noReply(`${written ? "lost after the request was written" : "no connection"}: ${what}`);
    });
    // Switching to another protocol is an end without an answer and without an error.
    request.once("close", () => {
      if (!answered) noReply("closed without an answer");
    });
    request.end(question.body);
  });
