/**
 * The client library: `createClient({ baseUrl, apiKey })`. It waits where the server asks it to, slows down before it has
 * to be asked, and sends nothing twice. Needs `fetch` and nothing else. docs/client.md has an example.
 */
import { systemClock } from "../domain/time.ts";
import { askingWith, type Question } from "./asking.ts";
import type { CallOptions } from "./call.ts";
import { SluiceFailure } from "./failure.ts";
import * as looking from "./looking.ts";
import { type ClientOptions, readOptions } from "./options.ts";
import * as sending from "./sending.ts";
import { keyCredentials, tokenCredentials } from "./tokens.ts";
import { sleep as reallySleep } from "./waiting.ts";

/** @throws TypeError for options that can be none */
export const createClient = (options: ClientOptions) => {
  const { baseUrl, apiKey, ...bounds } = readOptions(options);
  const { clock = systemClock, random = Math.random, sleep = reallySleep } = options;
  const ask = askingWith({
    ...bounds,
    baseUrl,
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    clock,
    sleep,
    random,
  });
  const credentials = options.useTokens ? tokenCredentials(apiKey, ask, clock) : keyCredentials(apiKey);

  const get = async <Body>(question: Question, call: CallOptions | undefined): Promise<Body> => {
    const { answer, attempts } = await ask(question, credentials, call?.signal);
    if (answer.status === 204) return null as Body;
    if (typeof answer.body === "object" && answer.body !== null) return answer.body as Body;
    throw new SluiceFailure(`${question.operation}: expected JSON, got something else`, {
      code: "unreadable_answer",
      attempts,
      answer,
      requestId: answer.headers.get("x-request-id"),
    });
  };
  return { ...sending.methods(get), ...looking.methods(get) };
};

export type SluiceClient = ReturnType<typeof createClient>;

export { SluiceFailure } from "./failure.ts";
export type { ClientOptions } from "./options.ts";
