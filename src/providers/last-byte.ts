/**
 * Notes how far a mail got. nodemailer reports a connection lost before the message, in it or after its final dot
 * in one and the same way, and the difference is "try again" against "it may have been sent". So the message's
 * stream is watched on its way to the socket.
 */
import { PassThrough } from "node:stream";
import type MailMessage from "nodemailer/lib/mailer/mail-message";

/**
 * `envelope`: the pool has a logged-in connection and names sender and recipient. `data`: the server has asked for
 * the message, and it is on its way. `out`: the SMTP connection has read it to its end; it still holds at most its
 * own buffers (two of 16 to 64 KB) and the dot, so this is early by that much, which errs towards "uncertain".
 */
export type Reached = "session" | "envelope" | "data" | "out";

/** Mail options with a place to note it; nodemailer passes what it does not know through to plugins. */
export interface Watched {
  readonly progress: { reached: Reached };
  readonly onOut?: (() => void) | undefined;
}

/** For `transporter.use("stream", …)`. */
export const watchLastByte = (mail: MailMessage, done: (error?: Error | null) => void): void => {
  const { progress, onOut } = mail.data as typeof mail.data & Watched;
  mail.message.processFunc((input) => {
    const watched = new PassThrough();
    // Of a message that was not read yet, nodemailer takes any loss or 421 on a used connection for a stale one and
    // queues the message again, twice as often as there are such connections, and the server's words are gone. To
    // have the words, the message counts as read; smtp.ts tries once more where it makes sense.
    Object.defineProperty(watched, "readableDidRead", { value: true });
    if (progress.reached !== "session") {
      // The pool asks for the message again. Nothing should make it; if something does, it ends here.
      watched.destroy(new Error("the message has already been handed over once"));
      return watched;
    }
    progress.reached = "envelope";
    watched.once("resume", () => {
      progress.reached = "data";
    });
    // "end" comes when everything has been read, not when everything has been buffered, as "finish" would.
    watched.once("end", () => {
      progress.reached = "out";
      onOut?.();
    });
    // A failure in the message's own making must reach the connection, or it would wait for the rest for ever.
    input.once("error", (error: Error) => watched.destroy(error));
    return input.pipe(watched);
  });
  done();
};
