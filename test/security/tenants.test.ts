/**
 * Two accounts: with one's key, every route with every id of the other, in every place where a route takes one. The
 * routes are the document's own: one that takes something in its path and has no row here fails the test.
 */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { keysIn } from "../support/cell-keys.ts";
import { aWorld, type Answer, type World } from "../support/world.ts";
import { operationsOf, targetOf, type OpenApi, type Operation, type Parameter } from "./operations.ts";

interface Tenant {
  readonly id: string;
  readonly key: string;
  readonly keyId: string;
  readonly message: string;
  readonly batch: string;
  readonly suppressed: string;
  readonly sender: string;
  readonly reference: string;
  readonly idempotencyKey: string;
  readonly cursorOfMessages: string;
  readonly cursorOfSuppressions: string;
}

type Values = Readonly<Record<string, string>>;
interface Row {
  /** What the route takes, of the asking account's own. */
  readonly own: (tenant: Tenant) => Values;
  readonly body?: (tenant: Tenant) => object;
}

const mailOf = ({ sender, reference }: Pick<Tenant, "sender" | "reference">, n = 0) => ({
  from: sender,
  to: `r${n}@example.net`,
  subject: `${reference} subject`,
  text: `${reference} text`,
  reference,
  // Nobody sends in this world: what waits is there to be canceled.
  send_at: "2026-03-02T00:00:00Z",
});
const textOf = ({ reference }: Tenant, field = "body") => ({
  to: "+15005551234",
  [field]: `${reference} text`,
  send_at: "2026-03-02T00:00:00Z",
});

const ofAccount = (more: Values = {}): Row => ({ own: ({ id }) => ({ id, ...more }) });
const looking = (more: Values = {}): Row => ({ own: ({ id }) => ({ account_id: id, ...more }) });
const sending = (body: (tenant: Tenant) => object): Row => ({ own: () => ({}), body });

const ROWS: Readonly<Record<string, Row>> = {
  "POST /v1/accounts": sending(() => ({ name: "A", timezone: "UTC" })),
  "GET /v1/accounts": looking(),
  "GET /v1/accounts/{id}": ofAccount(),
  "PATCH /v1/accounts/{id}": { ...ofAccount(), body: () => ({ weight: 2 }) },
  "DELETE /v1/accounts/{id}": ofAccount(),
  "PUT /v1/accounts/{id}/quotas/{channel}": { ...ofAccount({ channel: "sms" }), body: () => ({ hour: 1 }) },
  "PUT /v1/accounts/{id}/senders/{sender}/quotas/{channel}": {
    own: ({ id, sender }) => ({ id, sender, channel: "email" }),
    body: () => ({ hour: 1 }),
  },
  "GET /v1/accounts/{id}/senders": ofAccount(),
  "POST /v1/accounts/{id}/channels/{channel}/pause": ofAccount({ channel: "sms" }),
  "POST /v1/accounts/{id}/channels/{channel}/resume": ofAccount({ channel: "sms" }),
  "POST /v1/channels/{channel}/pause": ofAccount({ channel: "sms" }),
  "POST /v1/channels/{channel}/resume": ofAccount({ channel: "sms" }),
  "POST /v1/accounts/{id}/keys": { ...ofAccount(), body: () => ({}) },
  "GET /v1/accounts/{id}/keys": ofAccount(),
  "GET /v1/accounts/{id}/keys/{key}": { own: ({ id, keyId }) => ({ id, key: keyId }) },
  "DELETE /v1/accounts/{id}/keys/{key}": { own: ({ id, keyId }) => ({ id, key: keyId }) },
  "PATCH /v1/accounts/{id}/keys/{key}": { own: ({ id, keyId }) => ({ id, key: keyId }), body: () => ({ name: "A" }) },
  "POST /v1/accounts/{id}/keys/{key}/rotate": { own: ({ id, keyId }) => ({ id, key: keyId }), body: () => ({}) },
  "GET /v1/plans": looking(),
  "PUT /v1/plans": sending(() => ({ items: [] })),
  "GET /v1/plans/{name}": ofAccount({ name: "starter" }),
  "PUT /v1/plans/{name}": { ...ofAccount({ name: "starter" }), body: () => ({}) },
  "GET /v1/audit": looking(),
  "GET /v1/events": looking(),
  "GET /v1/limits": looking(),
  "GET /v1/reports/api-usage": looking(),
  "POST /v1/email/send": sending((tenant) => mailOf(tenant)),
  "POST /v1/sms/send": sending((tenant) => textOf(tenant)),
  "POST /v1/whatsapp/send": sending((tenant) => textOf(tenant)),
  "POST /v1/voice/call": sending((tenant) => textOf(tenant, "say")),
  "POST /v1/email/send/bulk": sending((tenant) => ({ messages: [mailOf(tenant)] })),
  "POST /v1/sms/send/bulk": sending((tenant) => ({ messages: [textOf(tenant)] })),
  "POST /v1/whatsapp/send/bulk": sending((tenant) => ({ messages: [textOf(tenant)] })),
  "GET /v1/messages/{id}": { own: ({ id, message }) => ({ account_id: id, id: message }) },
  "DELETE /v1/messages/{id}": { own: ({ message }) => ({ id: message }) },
  "GET /v1/{channel}/messages/{id}": { own: ({ id, message }) => ({ account_id: id, channel: "email", id: message }) },
  "GET /v1/messages": looking(),
  "POST /v1/messages/{id}/replay": { own: ({ message }) => ({ id: message }) },
  "GET /v1/batches/{id}": { own: ({ id, batch }) => ({ account_id: id, id: batch }) },
  "DELETE /v1/batches/{id}": { own: ({ batch }) => ({ id: batch }) },
  "POST /v1/suppressions": {
    ...looking(),
    body: ({ reference }) => ({ channel: "email", address: `${reference}@example.net` }),
  },
  "GET /v1/suppressions": looking({ channel: "email" }),
  "DELETE /v1/suppressions": {
    own: ({ id, suppressed }) => ({ account_id: id, channel: "email", address: suppressed }),
  },
  "GET /v1/quotas": looking(),
  "GET /v1/queues": looking(),
  "GET /v1/windows": looking({ timezone: "Asia/Kathmandu" }),
  "GET /v1/reports/usage": looking(),
};
/** They take nothing that could be another account's, but what says who is asking: a credential, a signature. */
const NOBODYS = new Set([
  "POST /v1/auth/token",
  "POST /v1/auth/refresh",
  "GET /healthz",
  "GET /readyz",
  "GET /metrics",
  "GET /sandbox",
  "GET /sandbox/messages",
  "POST /v1/callbacks/twilio/status",
]);

let world: World;
let operations: readonly Operation[];
let ann: Tenant;
let bob: Tenant;
let tried = 0;

const must = (answer: Answer, status: number): any => {
  if (answer.status !== status) throw new Error(`expected ${status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
};

const aTenant = async (name: string): Promise<Tenant> => {
  const { id } = await world.newAccount(name);
  // With every scope there is: what is refused is not refused for want of one.
  const all = { scopes: ["send", "read", "admin"] };
  const { id: keyId, key } = must(await world.call("POST", `/v1/accounts/${id}/keys`, all), 201);
  const as = (method: string, path: string, body?: unknown, headers = {}) =>
    world.call(method, path, body, key, headers);
  const [sender, reference, suppressed] = [`${name}@example.com`, `${name}marked`, `${name}-never@example.net`];
  const mine = { sender, reference };
  const idempotencyKey = `${name}-idempotency-key`;
  const sent = must(await as("POST", "/v1/email/send", mailOf(mine), { "Idempotency-Key": idempotencyKey }), 202);
  const bulk = must(await as("POST", "/v1/email/send/bulk", { messages: [mailOf(mine, 1), mailOf(mine, 2)] }), 202);
  must(
    await world.call("PUT", `/v1/accounts/${id}/senders/${encodeURIComponent(sender)}/quotas/email`, { day: 9 }),
    200,
  );
  for (const address of [suppressed, `${name}-zzz@example.net`])
    must(await as("POST", "/v1/suppressions", { channel: "email", address, reason: reference }), 201);
  return {
    id,
    key,
    keyId,
    message: sent.id,
    batch: bulk.batch_id,
    suppressed,
    sender,
    reference,
    idempotencyKey,
    cursorOfMessages: must(await as("GET", "/v1/messages?limit=1"), 200).next_cursor,
    cursorOfSuppressions: must(await as("GET", "/v1/suppressions?limit=1"), 200).next_cursor,
  };
};

beforeAll(async () => {
  world = await aWorld({ workers: 0 });
  operations = operationsOf((await world.call("GET", "/openapi.json")).body as OpenApi);
  ann = await aTenant("ann");
  bob = await aTenant("bob");
});
afterAll(() => world.stop());

const ask = ({ method, ...operation }: Operation, values: Values, key = ann.key): Promise<Answer> => {
  tried++;
  const header = values["Idempotency-Key"];
  return world.call(
    method,
    targetOf({ method, ...operation }, values),
    ROWS[operation.name]?.body?.(ann),
    key,
    header === undefined ? {} : { "Idempotency-Key": header },
  );
};

/** Everything in Redis that names the account or something of it. */
const allOf = async (tenant: Tenant): Promise<Readonly<Record<string, unknown>>> => {
  const { commands, keys } = world.core;
  const named = Object.values(tenant);
  const valueOf = async (key: string): Promise<unknown> => {
    const type = await commands.type(key);
    if (type === "string") return commands.get(key);
    if (type === "hash") {
      // When a key was used last is noted a while after it was: by the account's own requests above.
      const { last_used_at: _used, ...fields } = await commands.hgetall(key);
      return fields;
    }
    if (type === "list") return commands.lrange(key, 0, -1);
    if (type === "set") return (await commands.smembers(key)).toSorted();
    return commands.zrange(key, "0", "-1", "WITHSCORES");
  };
  // The asking account may use the other's idempotency key: what it then has is its own.
  const names = (await keysIn(world))
    .map(({ name }) => name)
    .filter((name) => named.some((value) => name.includes(value)) && !name.includes(ann.id))
    .toSorted();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await valueOf(keys.cell + name)] as const)),
  );
};

const withoutId = (problem: object): object => ({ ...problem, request_id: "" });

/** Nothing of the other's, but what was in the question. */
const tellsNothing = (answer: Answer, given: string): void => {
  const text = JSON.stringify(answer.body).replaceAll(JSON.stringify(given).slice(1, -1), "");
  for (const [kind, value] of Object.entries(bob)) expect([kind, text.includes(value)]).toEqual([kind, false]);
};

const judge = async (operation: Operation, { name, in: where }: Parameter, kind: string): Promise<void> => {
  const own = ROWS[operation.name]?.own(ann) ?? {};
  const foreign = bob[kind as keyof Tenant];
  const answer = await ask(operation, { ...own, [name]: foreign });
  const what = `${operation.name} ${name}=${kind}: ${answer.status} ${JSON.stringify(answer.body)}`;
  const is = (...statuses: readonly number[]): void =>
    expect(statuses.includes(answer.status) ? "" : `${what}, not ${statuses.join(" or ")}`).toBe("");
  tellsNothing(answer, foreign);
  if (operation.isOperators) {
    // For no account's key, whatever is named: that which is, and that which is not, are refused in the same words.
    is(403);
    expect(withoutId(answer.body)).toEqual(withoutId((await ask(operation, { ...own, [name]: "nothing" })).body));
  } else if (where === "path") {
    is(404);
    const nobodys = (await ask(operation, { ...own, [name]: "msg_00000000000000000000000000" })).body;
    expect(withoutId(answer.body)).toEqual(withoutId(nobodys));
  } else if (name === "account_id") {
    if (kind === "id") is(404);
    else is(404, 422);
  } else if (name === "Idempotency-Key") {
    is(202, 404, 409);
    expect(answer.headers.get("idempotent-replay")).toBeNull();
  } else if (name === "batch_id" || name === "reference") {
    is(200, 422);
    if (answer.status === 200) expect(answer.body).toEqual({ items: [], next_cursor: null });
  } else if (name === "address") {
    is(404, 422, 200);
    if (answer.status === 200) expect(answer.body).toEqual({ items: [], next_cursor: null });
  } else is(200, 422);
};

describe("what is another account's", () => {
  it("has a row for every route that takes anything, and no row is of a route that is gone", () => {
    const taking = operations.filter(({ name }) => !NOBODYS.has(name)).map(({ name }) => name);
    expect(Object.keys(ROWS).sort()).toEqual([...taking].sort());
    for (const { name, parameters } of operations)
      if (parameters.some((parameter) => parameter.in === "path")) expect(ROWS).toHaveProperty([name]);
  });

  it("is there for itself: each of these ids answers to its own account", async () => {
    for (const path of [
      `/v1/messages/${bob.message}`,
      `/v1/batches/${bob.batch}`,
      `/v1/messages?reference=${bob.reference}&batch_id=${bob.batch}`,
      `/v1/messages?cursor=${bob.cursorOfMessages}`,
      `/v1/suppressions?channel=email&address=${bob.suppressed}`,
      `/v1/suppressions?cursor=${bob.cursorOfSuppressions}`,
      `/v1/quotas?account_id=${bob.id}`,
    ]) {
      const answer = await world.call("GET", path, undefined, bob.key);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(JSON.stringify(answer.body)).toContain(path.includes("/batches/") ? bob.batch : "bob");
    }
  });

  it("answers 404 or not at all to every route, in every place, with every kind of id, and stays as it is", async () => {
    const before = await allOf(bob);
    expect(Object.keys(before).length).toBeGreaterThan(10);
    for (const operation of operations) {
      if (!(operation.name in ROWS)) continue;
      for (const parameter of operation.parameters)
        for (const kind of Object.keys(bob)) await judge(operation, parameter, kind);
      if (operation.method !== "GET") expect(await allOf(bob)).toEqual(before);
    }
    expect(tried).toBeGreaterThan(800);
  });

  it("is not reached by naming it beside one's own: a list of a foreign batch ends at once, however long it is", async () => {
    const many = Array.from({ length: 1_000 }, (_, n) => mailOf(bob, n));
    const { batch_id } = must(await world.call("POST", "/v1/email/send/bulk", { messages: many }, bob.key), 202);
    for (const status of ["", "&status=scheduled"]) {
      const answer = await world.call("GET", `/v1/messages?batch_id=${batch_id}${status}`, undefined, ann.key);
      expect(answer.body).toEqual({ items: [], next_cursor: null });
    }
  });

  it("is not the operator's to mix up: an account's id with another's key, message or batch is nothing", async () => {
    const before = await allOf(bob);
    for (const [method, path] of [
      ["GET", `/v1/accounts/${ann.id}/keys/${bob.keyId}`],
      ["DELETE", `/v1/accounts/${ann.id}/keys/${bob.keyId}`],
      ["GET", `/v1/messages/${bob.message}?account_id=${ann.id}`],
      ["GET", `/v1/email/messages/${bob.message}?account_id=${ann.id}`],
      ["GET", `/v1/batches/${bob.batch}?account_id=${ann.id}`],
      ["DELETE", `/v1/suppressions?account_id=${ann.id}&channel=email&address=${bob.suppressed}`],
    ] as const)
      expect([path, (await world.call(method, path)).status]).toEqual([path, 404]);
    expect(await allOf(bob)).toEqual(before);
    expect((await world.call("GET", "/v1/quotas", undefined, bob.key)).status).toBe(200);
  });
});
