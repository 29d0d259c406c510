/** Email over a pool of SMTP connections. */
import { createTransport, type SendMailOptions } from "nodemailer";
import type SMTPPool from "nodemailer/lib/smtp-pool";
import type { Outcome } from "../domain/outcome.ts";
import { type Millis, seconds } from "../domain/time.ts";
import { deadline } from "./deadline.ts";
import { discreet } from "./echo.ts";
import { type Reached, type Watched, watchLastByte } from "./last-byte.ts";
import { type Mail, mailOf } from "./mail.ts";
import type { Dispatch, Provider } from "./provider.ts";
import { type SmtpEvidence, smtpOutcome } from "./smtp-outcome.ts";
import { smtpServer } from "./smtp-url.ts";

export interface SmtpOptions {
  /** `smtp://user:pass@host:587`, `smtps://…`, `?tls=required`. */
  readonly url: string;
  /** What stands after the @ of every Message-ID. */
  readonly messageIdDomain: string;
  /** Connections kept open: as many as attempts are in flight. */
  readonly connections?: number;
  /** The whole attempt, from asking for a connection to the last reply. */
  readonly timeout: Millis;
  /** DNS, TCP, greeting and TLS of a connection. */
  readonly connectTimeout?: Millis;
  /** Called when the server has been given the whole message and has not answered. */
  readonly onWritten?: () => void;
}

/** What nodemailer's errors carry besides their message; its types leave it out. */
interface SendError extends Error {
  readonly code?: string;
  readonly command?: string;
  readonly response?: string;
  /** The system's or OpenSSL's: ECONNREFUSED, DEPTH_ZERO_SELF_SIGNED_CERT. */
  readonly originalCode?: string;
}

const TROUBLES: Readonly<Record<string, string>> = {
  EDNS: "the mail server's name was not found",
  ETLS: "no TLS connection to the mail server",
  ETIMEDOUT: "the mail server did not answer in time",
  EABORT: "the attempt took too long",
  ESOCKET: "the connection to the mail server failed",
  ECONNECTION: "the mail server closed the connection",
  EAUTH: "the mail server refused the login",
};

const evidenceOf = (error: SendError, reached: Reached): SmtpEvidence => {
  const stage = reached === "session" ? "session" : error.command === "MAIL FROM" ? "sender" : "message";
  const words = TROUBLES[error.code ?? ""] ?? `${error.code ?? "error"}: ${error.message}`;
  const trouble = error.originalCode === undefined ? words : `${words} (${error.originalCode})`;
  return { reply: error.response ?? null, stage, lastByteOut: reached === "out", trouble };
};

/** A pooled connection that the server had closed without our noticing: nothing was said, nothing was handed over. */
const wasStale = (error: SendError, reached: Reached): boolean =>
  reached === "envelope" && error.response === undefined && (error.code === "ECONNECTION" || error.code === "ESOCKET");

/** nodemailer looked at the mail and would not send it: an address it cannot use, a size the server does not take. */
const refusedHere = (error: SendError): boolean =>
  error.response === undefined && (error.code === "EENVELOPE" || error.code === "EMESSAGE");

export const smtpProvider = (options: SmtpOptions): Provider => {
  const { timeout, connectTimeout = seconds(10), connections = 50, onWritten } = options;
  const server = smtpServer(options.url);
  const pool: SMTPPool.Options & { maxRequeues: number; forceAuth?: true } = {
    pool: true,
    host: server.host,
    port: server.port,
    secure: server.secure,
    requireTLS: server.tlsRequired,
    // Where the server offers no login it is tried all the same: a relay that does not know us refuses each mail for good.
    ...(server.auth === undefined ? {} : { auth: server.auth, forceAuth: true }),
    maxConnections: connections,
    connectionTimeout: connectTimeout,
    greetingTimeout: connectTimeout,
    dnsTimeout: connectTimeout,
    socketTimeout: timeout,
    disableFileAccess: true,
    disableUrlAccess: true,
    // A connection closed before its greeting may be one of a pool being renewed: once more, then it is an answer.
    maxRequeues: 1,
  };
  const login = server.auth === undefined ? [] : [server.auth.user, server.auth.pass];
  const encoded = login.map((text) => Buffer.from(text).toString("base64"));
  const plain = Buffer.from(["", ...login].join("\0")).toString("base64");
  const secrets = [...login, ...encoded, plain];
  const transport = createTransport(pool);
  transport.use("stream", watchLastByte);

  const once = async (mail: Mail, signal: AbortSignal, mayRepeat: boolean): Promise<Outcome> => {
    const watched: SendMailOptions & Watched & { signal: AbortSignal } = {
      ...mail,
      progress: { reached: "session" },
      // The dot follows in this turn: after it, the socket has been given everything.
      onOut: onWritten && (() => setImmediate(onWritten)),
      signal,
    };
    const { progress } = watched;
    try {
      const { response } = await transport.sendMail(watched);
      return smtpOutcome({ reply: response, stage: "message", lastByteOut: progress.reached === "out", trouble: "" });
    } catch (thrown) {
      const error = thrown as SendError;
      if (refusedHere(error))
        return { kind: "permanent", why: "the mail server cannot take a message of this address or size" };
      if (mayRepeat && wasStale(error, progress.reached)) return once(mail, signal, false);
      return smtpOutcome(evidenceOf(error, progress.reached));
    }
  };

  return {
    name: "smtp",
    channels: ["email"],
    attempt: async (message: Dispatch, signal: AbortSignal): Promise<Outcome> => {
      const mail = mailOf(message, options.messageIdDomain);
      if (typeof mail === "string") return { kind: "permanent", why: mail };
      const limit = deadline(signal, timeout);
      try {
        return discreet(await once(mail, limit.signal, true), message, secrets);
      } finally {
        limit.lift();
      }
    },
    close: async () => transport.close(),
  };
};
