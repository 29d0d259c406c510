/** Who asks for a route that there is not is told which may have been meant. */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { anApi, textOf, type Api } from "./api.ts";

let api: Api;
let key: string;
beforeAll(async () => {
  api = await anApi();
  ({ key } = await api.anAccount());
});
afterAll(() => api.close());

describe("no such route", () => {
  it.each([
    ["GET", "/v1/email/send", ": /v1/email/send takes POST"],
    ["PUT", "/v1/messages/msg_1?x=/v1/quotas", ": /v1/messages/{id} takes GET, DELETE"],
    ["POST", "/email/send", ": /v1/email/send takes POST"],
    ["GET", "/v1/v1/queues", ": /v1/queues takes GET, with /v1 once"],
    ["GET", "/v1/metrics", ": /metrics takes GET"],
    ["GET", "/v1/queues/", ": /v1/queues takes GET"],
    ["POST", "/v1/email/send//", ": /v1/email/send takes POST"],
    ["GET", "/v1/usages", ""],
    ["GET", "/v1", ""],
    ["GET", "//", ""],
  ])("%s %s", async (method, path, more) => {
    const answer = await api.ask(method, path, { key });
    expect([answer.status, textOf(answer, "code")]).toEqual([404, "not_found"]);
    expect(textOf(answer, "detail")).toBe(`there is no such route here${more}`);
  });

  it("of every route that is described: its methods, asked with another", async () => {
    const { paths } = (await api.ask("GET", "/openapi.json")).body as { paths: Record<string, object> };
    const told: Record<string, readonly string[]> = {};
    for (const pattern of Object.keys(paths)) {
      const { body } = await api.ask("OPTIONS", pattern.replace(/\{\w+\}/g, "x"), { key });
      const [, , methods = ""] = /: (\S+) takes (.*)$/.exec(String(body["detail"])) ?? [];
      told[pattern] = methods.toLowerCase().split(", ").sort();
    }
    const described = Object.entries(paths).map(([pattern, item]) => [pattern, Object.keys(item).sort()]);
    expect(told).toEqual(Object.fromEntries(described));
  });
});
