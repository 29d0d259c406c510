/** Email over a pool of SMTP connections. */
import { createTransport, type SendMailOptions } from "nodemailer";
import type SMTPPool from "nodemailer/lib/smtp-pool";
import type { Outcome } from "../domain/outcome.ts";
import { type Millis, seconds, systemClock } from "../domain/time.ts";
import { deadline } from "./deadline.ts";
import { discreet } from "./echo.ts";
import { type Reached, type Watched, watchLastByte } from "./last-byte.ts";
import { type Mail, mailOf } from "./mail.ts";
import type { Dispatch, Provider } from "./provider.ts";
import { reason } from "./reason.ts";
import { connectionsOf } from "./smtp-connections.ts";
import { endsConnection, refusesConnection, type SmtpEvidence, smtpOutcome } from "./smtp-outcome.ts";
import { smtpServer } from "./smtp-url.ts";

export interface SmtpOptions {
  /** `smtp://user:pass@host:587`, `smtps://…`, `?tls=required`, `?tls=off`. */
  readonly url: string;
  /** What stands after the @ of every Message-ID. */
  readonly messageIdDomain: string;
  /** Connections kept open at most: as many as attempts are in flight, while the server bears them. */
  readonly connections?: number;
  /** The whole attempt, from asking for a connection to the last reply. */
  readonly timeout: Millis;
  /** DNS, TCP, greeting and TLS of a connection. */
  readonly connectTimeout?: Millis;
  /** How long a mail waits while the server refuses every connection, and how often one is tried (ms). */
  readonly busy?: { readonly patience: number; readonly askAgainEvery: number };
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

/** Connections that carry the same number of mails have carried enough at the same time: so many may be met in a row. */
const MOST_WORN_OUT = 5;

/** The server bears no connection more. */
interface Refused {
  readonly kind: "refused";
  readonly why: string;
}

/** Connections come free in seconds, where others have them all. */
const noneBorne = (why: string): Outcome => ({ kind: "throttled", why, about: "channel", retryIn: seconds(1) });
/** Kept for the next mail no longer than this: another client may have it. */
const IDLE = seconds(15);

/** nodemailer looked at the mail and would not send it: an address it cannot use, a size the server does not take. */
const refusedHere = (error: SendError): boolean =>
  error.response === undefined && (error.code === "EENVELOPE" || error.code === "EMESSAGE");

/** Reads its options anew whenever it wants a connection. */
const poolOf = (transport: { readonly transporter: unknown }) => transport.transporter as SMTPPool;

export const smtpProvider = (options: SmtpOptions): Provider => {
  const { timeout, connectTimeout = seconds(10), connections = 50, onWritten } = options;
  const server = smtpServer(options.url);
  const pool: SMTPPool.Options & { maxRequeues: number; forceAuth?: true } = {
    pool: true,
    host: server.host,
    port: server.port,
    secure: server.secure,
    requireTLS: server.tlsRequired,
    ignoreTLS: server.tlsOff,
    // Where the server offers no login it is tried all the same: a relay that does not know us refuses each mail for good.
    ...(server.auth === undefined ? {} : { auth: server.auth, forceAuth: true }),
    maxConnections: connections,
    connectionTimeout: connectTimeout,
    greetingTimeout: connectTimeout,
    dnsTimeout: connectTimeout,
    socketTimeout: timeout,
    idleTimeout: IDLE,
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
  const borne = connectionsOf(connections, systemClock, options.busy);

  /** Over a connection that it has, or is about to get. */
  const over = async (mail: Mail, signal: AbortSignal, repeats: number): Promise<Outcome | Refused> => {
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
      const evidence = evidenceOf(error, progress.reached);
      if (refusesConnection(evidence)) return { kind: "refused", why: reason(error.response ?? "") };
      const most = wasStale(error, progress.reached) ? 1 : endsConnection(evidence) ? MOST_WORN_OUT : 0;
      if (repeats < most) return over(mail, signal, repeats + 1);
      return smtpOutcome(evidence);
    }
  };

  const sendOver = async (mail: Mail, signal: AbortSignal): Promise<Outcome> => {
    for (;;) {
      const entered = await borne.enter(signal);
      if (entered === "late")
        return { kind: "transient", why: "no connection to the mail server came free", called: false };
      if (entered === "refused") return noneBorne("the mail server takes no more connections");
      // One that has been left is the pool's again a moment later: meanwhile it must not make another.
      poolOf(transport).options.maxConnections = borne.allowed();
      const outcome = await over(mail, signal, 0);
      if (outcome.kind !== "refused") {
        borne.leave();
        return outcome;
      }
      if (!borne.refused()) return noneBorne(outcome.why);
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
        return discreet(await sendOver(mail, limit.signal), message, secrets);
      } finally {
        limit.lift();
      }
    },
    close: async () => transport.close(),
  };
};
