/** Any service that takes a message as JSON over HTTP: what to send where is the operator's file (config/http-providers.ts). */
import { fillBody, type Json, type Values } from "../domain/body-template.ts";
import type { Channel } from "../domain/channel.ts";
import type { HttpService } from "../domain/http-service.ts";
import type { Outcome } from "../domain/outcome.ts";
import { type Clock, type Millis, systemClock } from "../domain/time.ts";
import { deadline } from "./deadline.ts";
import { discreet } from "./echo.ts";
import { exchange } from "./exchange.ts";
import { httpOutcome } from "./http-outcome.ts";
import type { Dispatch, Provider } from "./provider.ts";

export interface HttpOptions {
  readonly channel: Channel;
  readonly service: HttpService;
  /** The whole attempt. */
  readonly timeout: Millis;
  /** For times in an answer that has no Date. */
  readonly clock?: Clock;
  /** Called when the service has been given the whole request and has not answered. */
  readonly onWritten?: () => void;
}

/** By the names of PLACEHOLDERS: the content's own fields, and what every message has. */
const valuesOf = ({ id, account, sender, recipient, content, createdAt }: Dispatch): Values => ({
  from: sender,
  ...(content as Values),
  id,
  account,
  sender,
  to: recipient,
  created_at: new Date(createdAt).toISOString(),
});

export const httpProvider = (options: HttpOptions): Provider => {
  const { channel, service, timeout, clock = systemClock } = options;
  const url = new URL(service.url);
  const secrets = [...Object.values(service.headers), ...service.secrets];
  const body = (message: Dispatch): string => {
    const filled: Json = fillBody(service.body, valuesOf(message)) ?? null;
    return JSON.stringify(filled);
  };
  return {
    name: "http",
    channels: [channel],
    attempt: async (message: Dispatch, signal: AbortSignal): Promise<Outcome> => {
      const headers = {
        Accept: "application/json",
        "User-Agent": "sluice",
        ...service.headers,
        "Content-Type": "application/json",
        // The same on every try: a service that knows keys sends it once.
        "Idempotency-Key": message.id,
      };
      const limit = deadline(signal, timeout);
      try {
        const question = { url, headers, body: body(message) };
        const exchanged = await exchange(question, limit.signal, options.onWritten);
        return discreet(httpOutcome(exchanged, service, clock.now()), message, secrets);
      } finally {
        limit.lift();
      }
    },
    close: async () => {},
  };
};
