import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { textOf, anApi, anEmail, anSms, type Answer, type Api } from "./api.ts";

let api: Api;
let key: string;
beforeAll(async () => {
  api = await anApi();
  ({ key } = await api.anAccount());
});
afterAll(() => api.close());

let count = 0;
const aKey = (): string => `key-${(count += 1)}`;
const send = (idempotencyKey: string, body: unknown = anEmail, path = "/v1/email/send", as = key): Promise<Answer> =>
  api.ask("POST", path, { key: as, body, headers: { "Idempotency-Key": idempotencyKey } });

describe("the same key", () => {
  it("and body get the same answer, and one message", async () => {
    const before = api.world.drafts.length;
    const again = aKey();
    const [first, second] = [await send(again), await send(again)];
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.text).toBe(first.text);
    expect(first.headers.get("idempotent-replay")).toBeNull();
    expect(second.headers.get("idempotent-replay")).toBe("true");
    expect(api.world.drafts).toHaveLength(before + 1);
  });

  it("with another body is a mistake", async () => {
    const again = aKey();
    await send(again);
    const other = await send(again, { ...anEmail, subject: "Other" });
    expect([other.status, other.body["code"]]).toEqual([422, "idempotency_mismatch"]);
    expect((await send(again)).status).toBe(202);
  });

  it("at once, while the first is still running, is told to come back", async () => {
    const again = aKey();
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const started = new Promise<void>((resolve) => {
      api.world.before = () => {
        resolve();
        return held;
      };
    });
    const first = send(again);
    await started;
    const others = await Promise.all(Array.from({ length: 99 }, () => send(again)));
    expect(new Set(others.map(({ status, body }) => `${status} ${textOf({ body }, "code")}`))).toEqual(
      new Set(["409 idempotency_running"]),
    );
    api.world.before = null;
    goOn();
    const { body, status } = await first;
    expect(status).toBe(202);
    expect((await send(again)).body["id"]).toBe(body["id"]);
  });

  it("in another account, or on another route, is another key", async () => {
    const again = aKey();
    const other = await api.anAccount();
    const ids = [
      (await send(again)).body["id"],
      (await send(again, anEmail, "/v1/email/send", other.key)).body["id"],
      (await send(again, anSms, "/v1/sms/send")).body["id"],
    ];
    expect(new Set(ids).size).toBe(3);
  });

  it("keeps a 422 too, as it was", async () => {
    const again = aKey();
    const wrong = { ...anEmail, to: "nobody" };
    const [first, second] = [await send(again, wrong), await send(again, wrong)];
    expect([first.status, second.status]).toEqual([422, 422]);
    expect(second.text).toBe(first.text);
    expect(second.headers.get("content-type")).toBe(first.headers.get("content-type"));
    expect(second.headers.get("idempotent-replay")).toBe("true");
    expect((await send(again)).body["code"]).toBe("idempotency_mismatch");
  });

  it("may be used again when Redis was away, and then makes one message", async () => {
    const again = aKey();
    const before = api.world.drafts.length;
    let fails = 1;
    api.world.before = async () => {
      if (fails-- > 0) throw new Error("Connection is closed.");
    };
    const first = await send(again);
    expect([first.status, first.headers.get("retry-after")]).toEqual([503, "2"]);
    const second = await send(again);
    expect([second.status, second.headers.get("idempotent-replay")]).toEqual([202, null]);
    api.world.before = null;
    expect(api.world.drafts).toHaveLength(before + 1);
  });

  it("makes the same message when the answer could not be kept", async () => {
    const again = aKey();
    const messages = api.world.messages.size;
    api.world.before = async () => void (api.world.trouble = new Error("Command timed out"));
    expect((await send(again)).status).toBe(503);
    api.world.before = null;
    api.world.trouble = null;
    // Redis forgets in the end that it ran, as if the process had died.
    await api.world.services.idempotency.release(
      (await accountOf()) ?? "",
      "POST /v1/email/send",
      again,
      "",
      "unknown",
    );
    expect((await send(again)).status).toBe(202);
    expect(api.world.messages.size).toBe(messages + 1);
  });
});

const accountOf = async (): Promise<string | undefined> => (await api.world.services.keys.authenticate(key))?.account;

it.each([["a b"], ["a".repeat(256)], ["é"], [""]])("refuses the key %j", async (wrong) => {
  const answer = await api.app.inject({
    method: "POST",
    url: "/v1/email/send",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "idempotency-key": wrong },
    payload: JSON.stringify(anEmail),
  });
  expect(answer.statusCode).toBe(422);
  expect(answer.json().errors[0].field).toBe("header Idempotency-Key");
});

it("works for bulk and replay as well, each message of a replay for itself", async () => {
  const again = aKey();
  const bulk = { messages: [anEmail, anEmail] };
  const [first, second] = [
    await send(again, bulk, "/v1/email/send/bulk"),
    await send(again, bulk, "/v1/email/send/bulk"),
  ];
  expect(second.text).toBe(first.text);
  const ids = (first.body["results"] as { id: string }[]).map(({ id }) => id);
  for (const id of ids) api.world.messages.set(id, { ...api.world.messages.get(id)!, status: "failed" });
  const replay = (id: string): Promise<Answer> => send(`${again}-replay-${id}`, {}, `/v1/messages/${id}/replay`);
  const once = await replay(ids[0]!);
  expect(once.status).toBe(202);
  expect((await replay(ids[0]!)).text).toBe(once.text);
  // The same key for another message is not the same request.
  const other = await send(`${again}-replay-${ids[0]}`, {}, `/v1/messages/${ids[1]}/replay`);
  expect(other.body["code"]).toBe("idempotency_mismatch");
});

it("takes no body for no body, whether or not it is said to be JSON", async () => {
  const again = aKey();
  const id = textOf(await send(aKey()), "id");
  api.world.messages.set(id, { ...api.world.messages.get(id)!, status: "failed" });
  const replay = (said: Record<string, string>, raw?: string): Promise<Answer> =>
    api.ask("POST", `/v1/messages/${id}/replay`, {
      key,
      ...(raw === undefined ? {} : { raw }),
      headers: { "Idempotency-Key": again, ...said },
    });
  const once = await replay({});
  expect(once.status).toBe(202);
  expect((await replay({ "Content-Type": "application/json" })).text).toBe(once.text);
  expect((await replay({}, "{}")).body["code"]).toBe("idempotency_mismatch");
});
