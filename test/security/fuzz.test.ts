/**
 * The API, asked at random. Requests are made from its own document: as that says, nearly, and not at all; with an
 * account's key, the operator's, a wrong one and none. Whatever is asked, the answer is one that the document names, its
 * body is what the document says, and nothing is a mistake of ours. A failure prints its request and its seed:
 * SLUICE_FUZZ_SEED plays it again, SLUICE_FUZZ_RUNS asks more (20,000 in the long form).
 */
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { Agent, request as httpRequest } from "node:http";
import { getExpectedTwilioSignature } from "twilio/lib/webhooks/webhooks.js";
import { Compile } from "typebox/compile";
import { cursorFrom } from "../../src/http/cursor.ts";
import { aWorld, type World } from "../support/world.ts";
import { operationsOf, type JsonSchema, type OpenApi, type Operation, type Parameter } from "./operations.ts";
import {
  hostileText,
  isObject,
  mailHints,
  nastyText,
  nearlyValid,
  phoneHints,
  planHints,
  queryHints,
  valid,
  type Json,
} from "./values.ts";

const { SLUICE_FUZZ_RUNS, SLUICE_FUZZ_SEED } = process.env;
const RUNS = Number(SLUICE_FUZZ_RUNS ?? 1_000);
/** No request takes 50 ms, on a busy machine. */
const TIMEOUT = 60_000 + RUNS * 50;

/** Where Twilio is told to call: what it signs. */
const PUBLIC_URL = "https://sluice.example.com";

let world: World;
let operations: readonly Operation[];
const agent = new Agent({ keepAlive: true, maxSockets: 4 });
/** Ids that are there, by kind. */
const pool: Record<string, string[]> = { accounts: [], messages: [], failed: [], batches: [], keys: [] };
let other: { readonly id: string; readonly key: string };

const mail = (more: object = {}) => ({
  from: "shop@example.com",
  to: "ann@example.net",
  subject: "Hi",
  text: "Hi",
  ...more,
});
const LATER = { send_at: "2026-04-01T00:00:00Z" };

const made = async (kind: string): Promise<string> => {
  const account = world.account.key;
  const send = async (path: string, body: object) => (await world.call("POST", path, body, account)).body;
  if (kind === "accounts") return (await world.newAccount("Passing")).id;
  if (kind === "messages") return (await send("/v1/email/send", mail(LATER))).id;
  if (kind === "failed") return (await send("/v1/email/send", mail({ to: `fail@sandbox.invalid` }))).id;
  if (kind === "suppressed") return (await send("/v1/suppressions", Object.fromEntries(SUPPRESSED))).address;
  if (kind === "refresh") return (await send("/v1/auth/token", {})).refresh_token;
  if (kind === "batches") return (await send("/v1/email/send/bulk", { messages: [mail(LATER), mail(LATER)] })).batch_id;
  return (await world.call("POST", `/v1/accounts/${other.id}/keys`, {})).body.id;
};

beforeAll(async () => {
  world = await aWorld({ env: { PUBLIC_URL } });
  operations = operationsOf((await world.call("GET", "/openapi.json")).body as OpenApi);
  other = await world.newAccount("Other");
  for (const kind of Object.keys(pool)) for (let n = 0; n < 3; n++) pool[kind]?.push(await made(kind));
  await world.quiet();
});
afterAll(async () => {
  agent.destroy();
  await world.stop();
});

/** An id in a path before it is known: taken from the pool, or made for a request that would use it up. */
const ID = "{id}";
interface Asked {
  readonly operation: string;
  readonly path: Readonly<Record<string, string>>;
  readonly query: readonly (readonly [string, string])[];
  readonly who: "right" | "account" | "operator" | "nobody" | "wrong";
  readonly type: string | null;
  readonly idempotencyKey: string | null;
  readonly body: string | null;
}

/** A token in a body before it is known: each is good for one request. */
const REFRESH = "{refresh}";

/** A schema says which fields there may be, not which of them go together. */
const agreed = (value: Json): Json => {
  if (!isObject(value)) return value;
  const { expires_at: _late, send_at: _early, template, recipients, messages, ...rest } = value as Record<string, Json>;
  if (messages !== undefined) return { messages: (messages as Json[]).map(agreed) };
  if (template !== undefined) {
    const fields: Json = isObject(template) && "subject" in template ? { ...template, text: "Hi" } : template;
    return { ...rest, template: fields, recipients: recipients ?? [{ to: "ann@example.net" }] };
  }
  const headers = "headers" in rest ? { headers: { "X-Campaign": "spring" } } : {};
  if ("subject" in rest) return { ...rest, text: "Hi", ...headers };
  if ("refresh_token" in rest) return { refresh_token: REFRESH };
  if ("address" in rest) return { ...rest, address: rest["channel"] === "email" ? "ann@example.net" : "+15005551234" };
  return isObject(rest["api_limit"]) ? { ...rest, api_limit: { minute: 60, hour: 1_000 } } : rest;
};

const hintsOf = ({ path }: Operation) => {
  if (path.startsWith("/v1/plans")) return planHints;
  return /\/(?:sms|whatsapp|voice)\//.test(path) ? phoneHints : mailHints;
};

/** A cursor that our own check holds for whole, whatever is in it. */
const forgedCursor = fc
  .tuple(fc.constantFrom("messages", "accounts", "suppressions"), nastyText)
  .map(([list, inner]) => cursorFrom(list, inner) ?? "");

const textFor = ({ name, schema }: Parameter): fc.Arbitrary<string> => {
  const good = valid(schema, name, queryHints).map(String);
  const ours: fc.Arbitrary<string>[] = [];
  if (name === "cursor") ours.push(forgedCursor);
  if (name === "account_id") ours.push(fc.constant("{account}"));
  if (name === "message_id") ours.push(fc.constant("{message}"));
  if (name === "batch_id") ours.push(fc.constant("{batch}"));
  return fc.oneof(
    { weight: 3, arbitrary: good },
    { weight: 1, arbitrary: nastyText },
    ...ours.map((arbitrary) => ({ weight: 4, arbitrary })),
  );
};

const pathFor = ({ name, schema }: Parameter): fc.Arbitrary<string> => {
  const good: Readonly<Record<string, fc.Arbitrary<string>>> = {
    id: fc.constant(ID),
    key: fc.constant(ID),
    name: fc.constantFrom("starter", "free"),
    sender: fc.constantFrom("shop@example.com", "+15005550006"),
  };
  const channel =
    schema.enum === undefined ? fc.constantFrom("email", "sms") : fc.constantFrom(...(schema.enum as string[]));
  return fc.oneof({ weight: 8, arbitrary: good[name] ?? channel }, { weight: 1, arbitrary: nastyText });
};

/** What Twilio would send, and what nobody would. */
const form: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom("MessageStatus", "CallStatus"),
    fc.oneof(fc.constantFrom("delivered", "undelivered", "failed", "sent", "completed", "busy"), nastyText),
    fc.array(fc.tuple(nastyText, nastyText), { maxLength: 3 }),
  )
  .map(([name, status, more]) => new URLSearchParams([[name, status], ["MessageSid", "SM1"], ...more]).toString());

const bodyFor = (operation: Operation): fc.Arbitrary<string | null> => {
  const { body } = operation;
  if (body === null)
    return fc.oneof({ weight: 7, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: hostileText });
  if (operation.mediaType !== "application/json") return form;
  const hints = hintsOf(operation);
  return fc.oneof(
    { weight: 4, arbitrary: valid(body, "", hints).map((value) => JSON.stringify(agreed(value))) },
    { weight: 1, arbitrary: valid(body, "", hints).map((value) => JSON.stringify(value)) },
    { weight: 4, arbitrary: nearlyValid(body, "", hints).map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: hostileText },
  );
};

/** Two questions that must agree to find anything: what made() puts there for it. */
const SUPPRESSED = [
  ["channel", "email"],
  ["address", "ann@example.net"],
] as const;

const askedOf = (operation: Operation): fc.Arbitrary<Asked> => {
  const { parameters } = operation;
  const inPath = parameters.filter((parameter) => parameter.in === "path");
  const inQuery = parameters.filter((parameter) => parameter.in === "query");
  const stray = fc.tuple(nastyText, nastyText);
  const asked = fc.tuple(...inQuery.map((one) => fc.option(textFor(one), { freq: one.required === true ? 9 : 1 })));
  return fc.record({
    operation: fc.constant(operation.name),
    path: fc.record(Object.fromEntries(inPath.map((one) => [one.name, pathFor(one)]))),
    query: fc.tuple(asked, stray, fc.nat(9)).map(([values, extra, chance]) => {
      const named = values.flatMap((value, at) => (value === null ? [] : [[inQuery[at]?.name ?? "", value] as const]));
      if (operation.name === "DELETE /v1/suppressions" && chance < 5) return [...SUPPRESSED];
      return chance === 9 ? [...named, extra] : named;
    }),
    who: fc.oneof(
      { weight: 8, arbitrary: fc.constant("right" as const) },
      { weight: 4, arbitrary: fc.constantFrom("account", "operator", "nobody", "wrong" as const) },
    ),
    type: fc.oneof(
      { weight: 12, arbitrary: fc.constant(operation.mediaType ?? "application/json") },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          null,
          "text/plain",
          "application/json; charset=utf-16",
          "application/x-www-form-urlencoded",
        ),
      },
    ),
    idempotencyKey: parameters.some((parameter) => parameter.in === "header")
      ? fc.option(fc.oneof(fc.constantFrom("a", "b"), fc.stringMatching(/^[\x20-\x7e]{1,300}$/)), { freq: 2 })
      : fc.constant(null),
    body: bodyFor(operation),
  }) as fc.Arbitrary<Asked>;
};

const kindOf = ({ path, method }: Operation, name: string): string => {
  if (name === "key") return "keys";
  if (path.includes("/messages/")) return method === "POST" ? "failed" : "messages";
  return path.includes("/batches/") ? "batches" : "accounts";
};

const idFor = async (operation: Operation, name: string): Promise<string> => {
  const kind = kindOf(operation, name);
  // A key of the path's own account; and what is taken away is made for it.
  if (name === "id" && operation.path.includes("/keys/{key}")) return other.id;
  if (operation.method === "DELETE") return made(kind);
  return pool[kind]?.[0] ?? "";
};

const keyOf = ({ who }: Asked, operation: Operation): string | null => {
  if (who === "nobody") return null;
  if (who === "wrong") return "sk_01JTESTTESTTESTTESTTESTTEST_wrong";
  const asOperator =
    who === "operator" || (who === "right" && (operation.isOperators || operation.path.startsWith("/v1/accounts/")));
  return asOperator ? (world.config.adminKey ?? "") : world.account.key;
};

const percent = (text: string): string =>
  // As it is, now and then: what cannot be decoded must be answered too.
  text === "%zz"
    ? text
    : [...Buffer.from(text)]
        .map((byte) =>
          /[\w.~-]/.test(String.fromCharCode(byte))
            ? String.fromCharCode(byte)
            : `%${byte.toString(16).padStart(2, "0")}`,
        )
        .join("");

const FORM = "application/x-www-form-urlencoded";
/** As Twilio signs: over the address and all fields of the form. */
const signatureOf = (target: string, body: string): Readonly<Record<string, string>> => {
  const fields: Record<string, string | string[]> = Object.create(null) as Record<string, string>;
  for (const [name, value] of new URLSearchParams(body)) {
    const before = fields[name];
    fields[name] = before === undefined ? value : [before, value].flat();
  }
  const token = world.config.twilio?.authToken ?? "";
  return { "X-Twilio-Signature": getExpectedTwilioSignature(token, PUBLIC_URL + target, fields) };
};

interface Heard {
  readonly status: number;
  readonly type: string;
  readonly requestId: string;
  readonly text: string;
}

const ask = async (asked: Asked, operation: Operation): Promise<Heard> => {
  if (operation.name === "DELETE /v1/suppressions") await made("suppressed");
  let path = operation.path;
  for (const [name, value] of Object.entries(asked.path))
    path = path.replace(`{${name}}`, percent(value === ID ? await idFor(operation, name) : value));
  const known = new Map([
    ["{account}", world.account.id],
    ["{message}", pool["failed"]?.[0] ?? ""],
    ["{batch}", pool["batches"]?.[0] ?? ""],
  ]);
  const query = asked.query.map(([name, value]) => `${percent(name)}=${percent(known.get(value) ?? value)}`).join("&");
  const target = path + (query === "" ? "" : `?${query}`);
  const key = keyOf(asked, operation);
  const body =
    asked.body?.includes(REFRESH) === true ? asked.body.replaceAll(REFRESH, await made("refresh")) : asked.body;
  const hasBody = body !== null && operation.method !== "GET";
  return new Promise((resolve, reject) => {
    const sending = httpRequest(
      world.origin + target,
      {
        agent,
        method: operation.method,
        headers: {
          ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
          ...(hasBody && asked.type !== null ? { "Content-Type": asked.type } : {}),
          ...(asked.type === FORM && asked.who === "right" ? signatureOf(target, body ?? "") : {}),
          ...(asked.idempotencyKey === null ? {} : { "Idempotency-Key": asked.idempotencyKey }),
        },
      },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        answer.on("error", reject).on("end", () =>
          resolve({
            status: answer.statusCode ?? 0,
            type: (answer.headers["content-type"] ?? "").split(";")[0] ?? "",
            requestId: String(answer.headers["x-request-id"]),
            text,
          }),
        );
      },
    );
    sending.on("error", reject).end(hasBody ? body : undefined);
  });
};

const compiled = new Map<string, ReturnType<typeof Compile>>();
const fits = (name: string, schema: JsonSchema, value: unknown): boolean => {
  let validator = compiled.get(name);
  if (validator === undefined) compiled.set(name, (validator = Compile(schema)));
  return validator.Check(value);
};

/** What the document has to say of this status. */
const documented = ({ responses }: Operation, status: number) =>
  responses[String(status)] ?? responses[`${String(status)[0]}XX`];

const judge = (operation: Operation, { status, type, text, requestId }: Heard): void => {
  expect(status >= 500 && status !== 503 ? `${status} ${text}` : "").toBe("");
  const response = documented(operation, status);
  expect([status, response === undefined]).toEqual([status, false]);
  const [mediaType, content] = Object.entries(response?.content ?? {})[0] ?? [];
  if (mediaType === undefined || content === undefined) {
    expect([status, text]).toEqual([status, ""]);
    return;
  }
  expect([status, type]).toEqual([status, mediaType]);
  if (!mediaType.includes("json")) return;
  const body: unknown = JSON.parse(text);
  const name = `${operation.name} ${status}`;
  expect([fits(name, content.schema, body), text]).toEqual([true, text]);
  // A schema that takes anything would hold for anything.
  if (!Array.isArray(body)) expect(fits(name, content.schema, { ...(body as object), unheard_of: 1 })).toBe(false);
  if (status >= 400) expect(body).toMatchObject({ status, request_id: requestId });
};

/** There is no sandbox in this world, whose providers stand outside it. */
const NEVER_GOOD = new Set(["GET /sandbox", "GET /sandbox/messages"]);

/** A good answer of every route is a matter of chance below this. */
const ENOUGH_FOR_EACH = 5_000;

it(
  `answers ${RUNS} requests made from its own document with what that document says, and none with a mistake of ours`,
  async () => {
    const seen: Record<string, Record<number, number>> = {};
    for (const operation of operations)
      await fc.assert(
        fc.asyncProperty(askedOf(operation), async (asked) => {
          const heard = await ask(asked, operation);
          const counts = (seen[operation.name] ??= {});
          counts[heard.status] = (counts[heard.status] ?? 0) + 1;
          judge(operation, heard);
        }),
        {
          numRuns: Math.ceil(RUNS / operations.length),
          ...(SLUICE_FUZZ_SEED === undefined ? {} : { seed: Number(SLUICE_FUZZ_SEED) }),
        },
      );
    const all = Object.values(seen).flatMap((counts) => Object.entries(counts));
    const total = (from: number, to: number): number =>
      all
        .filter(([status]) => Number(status) >= from && Number(status) < to)
        .reduce((sum, [, count]) => sum + count, 0);
    if (SLUICE_FUZZ_RUNS !== undefined)
      process.stdout.write(
        `${JSON.stringify({ requests: total(0, 600), good: total(200, 300), refused: total(400, 500), failed: total(500, 600), seen })}\n`,
      );
    expect(total(0, 600)).toBeGreaterThanOrEqual(RUNS);
    expect(total(500, 600)).toBe(0);
    // It must get behind the doors: a fuzzer that is always refused finds nothing.
    expect(total(200, 300) / total(0, 600)).toBeGreaterThan(1 / 4);
    if (RUNS < ENOUGH_FOR_EACH) return;
    const neverGood = Object.keys(seen).filter(
      (name) => !Object.keys(seen[name] ?? {}).some((status) => status.startsWith("2")),
    );
    expect(neverGood.filter((name) => !NEVER_GOOD.has(name))).toEqual([]);
  },
  TIMEOUT,
);
