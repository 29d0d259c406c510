/** What a route does not read is refused: who asked for it meant something by it. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { anApi, anEmail, fieldsOf, type Api } from "./api.ts";

let api: Api;
let account: string;
let key: string;
beforeAll(async () => {
  api = await anApi();
  ({ id: account, key } = await api.anAccount());
});
afterAll(() => api.close());

describe("a query on what takes none", () => {
  it.each([
    ["POST", "/v1/email/send?send_at=2027-01-01T00:00:00Z", "send_at", anEmail],
    ["DELETE", "/v1/messages/msg_00000000000000000000000000?dry_run=true", "dry_run", undefined],
    ["DELETE", "/v1/batches/bat_00000000000000000000000000?status=sent", "status", undefined],
  ])("%s %s", async (method, path, field, body) => {
    const before = api.world.messages.size;
    const answer = await api.ask(method, path, { key, ...(body === undefined ? {} : { body }) });
    expect([answer.status, fieldsOf(answer)]).toEqual([422, [field]]);
    expect(api.world.messages.size).toBe(before);
  });
});

describe("a body on what reads none", () => {
  const pause = (body: unknown) => api.operate("POST", `/v1/accounts/${account}/channels/sms/pause`, body);

  it("is refused, field by field, and nothing is paused", async () => {
    const before = api.world.switches.length;
    const answer = await pause({ until: "2027-01-01T00:00:00Z" });
    expect([answer.status, fieldsOf(answer)]).toEqual([422, ["until"]]);
    expect(fieldsOf(await pause(["x"]))).toEqual(["body"]);
    expect(api.world.switches).toHaveLength(before);
  });

  it("may be empty, or an object with nothing in it", async () => {
    expect((await pause({})).status).toBe(200);
    expect((await pause(undefined)).status).toBe(200);
  });
});

it("a cursor of events that somebody made up does not come to Redis", async () => {
  for (const inner of ["x", "1-1 COUNT", "(", "99999999999999999999-1"]) {
    const check = createHash("sha256").update(`events\n${inner}`).digest("base64url").slice(0, 8);
    const cursor = Buffer.from(check + inner).toString("base64url");
    expect((await api.operate("GET", `/v1/events?cursor=${cursor}`)).status).toBe(422);
  }
});
