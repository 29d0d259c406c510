/**
 * Providers to try things with: a mail server and a stand-in for Twilio, on loopback ports of their own, reached
 * through the very adapters that reach the real ones. Nothing leaves the machine.
 */
import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { type Clock, type Millis, seconds, systemClock } from "../domain/time.ts";
import type { OnArrival } from "./arrival.ts";
import { mailServer } from "./mail-server.ts";
import { twilioStandIn } from "./twilio-stand-in.ts";

export interface Sandbox {
  /** For smtpProvider. */
  readonly smtpUrl: string;
  /** For twilioProvider, as it is. `from` is the sender of messages that name none. */
  readonly twilio: {
    readonly accountSid: string;
    readonly authToken: string;
    readonly from: string;
    readonly baseUrl: string;
    /** Never called: it is how the stand-in learns our id of a message. */
    readonly statusCallback: (messageId: string) => string;
  };
  close(): Promise<void>;
}

export interface SandboxOptions {
  /** Awaited before the sandbox answers: what it accepted has been written down. */
  readonly record: OnArrival;
  readonly log: Logger;
  readonly clock?: Clock;
  /** How long slow@sandbox.invalid takes. */
  readonly slowFor?: Millis;
}

/** Twilio's own test sender: what a message goes out as that names nobody. */
export const SANDBOX_FROM = "+15005550006";

export const startSandbox = async (options: SandboxOptions): Promise<Sandbox> => {
  const { record, log, clock = systemClock, slowFor = seconds(5) } = options;
  const credentials = {
    accountSid: `AC${randomBytes(16).toString("hex")}`,
    authToken: randomBytes(16).toString("hex"),
  };
  const mail = await mailServer(record, clock, slowFor);
  const twilio = await twilioStandIn(record, credentials, clock).catch(async (error: unknown) => {
    await mail.close();
    throw error;
  });
  log.info({ event: "sandbox_listening", smtp_port: mail.port, twilio: twilio.baseUrl }, "the sandbox takes messages");
  return {
    smtpUrl: `smtp://127.0.0.1:${mail.port}`,
    twilio: {
      ...credentials,
      from: SANDBOX_FROM,
      baseUrl: twilio.baseUrl,
      statusCallback: (messageId) => `${twilio.baseUrl}/status/${messageId}`,
    },
    close: async () => {
      await twilio.close();
      await mail.close();
    },
  };
};
