/** The API on a real socket, over services in memory, and a caller that speaks to it. */
import { expect } from "@jest/globals";
import type { FastifyInstance } from "fastify";
import type { AddressInfo } from "node:net";
import type { FieldError } from "../../src/domain/errors.ts";
import { createServer } from "../../src/http/server.ts";
import type { ServerOptions, Services } from "../../src/http/services.ts";
import { ADMIN_KEY, fakeWorld } from "../support/fake-services.ts";
import type { FakeWorld } from "../support/fake-state.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export const errorsOf = ({ body }: Answer): readonly FieldError[] => (body["errors"] ?? []) as readonly FieldError[];
export const fieldsOf = (answer: Answer): readonly string[] => errorsOf(answer).map(({ field }) => field);
export const textOf = ({ body }: Pick<Answer, "body">, name: string): string => {
  const text = body[name];
  if (typeof text !== "string") throw new TypeError(`expected ${name} to be a string`);
  return text;
};
export const itemsOf = ({ body }: Answer): readonly Readonly<Record<string, unknown>>[] =>
  body["items"] as readonly Readonly<Record<string, unknown>>[];

export interface Asking {
  readonly key?: string | null;
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Api {
  readonly url: string;
  readonly port: number;
  readonly app: FastifyInstance;
  readonly world: FakeWorld;
  ask(method: string, path: string, asking?: Asking): Promise<Answer>;
  /** With the operator's key. */
  operate(method: string, path: string, body?: unknown): Promise<Answer>;
  /** An account with a key of its own. */
  anAccount(fields?: object): Promise<{ id: string; key: string; keyId: string }>;
  close(): Promise<void>;
}

export const anApi = async (overrides: Partial<Services> = {}, options: ServerOptions = {}): Promise<Api> => {
  const world = fakeWorld(overrides);
  const app = await createServer(world.services, options);
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;

  const ask = async (method: string, path: string, asking: Asking = {}): Promise<Answer> => {
    const { key, body, raw, headers = {} } = asking;
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(key ? { Authorization: `Bearer ${key}` } : {}),
        ...(payload === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(payload === undefined ? {} : { body: payload }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson && text !== "" ? JSON.parse(text) : {},
    };
  };
  const operate = (method: string, path: string, body?: unknown): Promise<Answer> =>
    ask(method, path, { key: ADMIN_KEY, body });
  return {
    url,
    port,
    app,
    world,
    ask,
    operate,
    anAccount: async (fields = {}) => {
      const account = await operate("POST", "/v1/accounts", { name: "Test", timezone: "Asia/Kathmandu", ...fields });
      const key = await operate("POST", `/v1/accounts/${textOf(account, "id")}/keys`, {});
      return { id: textOf(account, "id"), key: textOf(key, "key"), keyId: textOf(key, "id") };
    },
    close: () => app.close(),
  };
};

/** The one shape of a refusal, and that nothing reached the gate. */
export const refused = async (
  { world }: Api,
  asked: () => Promise<Answer>,
  status: number,
  code: string,
  field?: string,
): Promise<Answer> => {
  const before = world.drafts.length;
  const answer = await asked();
  expect(answer.body).toMatchObject({ status, code, type: `urn:sluice:problem:${code}`, detail: expect.any(String) });
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  expect(answer.headers.get("x-request-id")).toBe(answer.body["request_id"]);
  if (field !== undefined) expect(fieldsOf(answer)).toContain(field);
  expect(world.drafts).toHaveLength(before);
  return answer;
};

export const anEmail = { from: "Shop <shop@example.com>", to: "ann@example.com", subject: "Hello", text: "It works." };
export const anSms = { to: "+9779812345678", body: "It works." };
