import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import Fastify from "fastify";
import { createLogger, type LogOptions } from "../../src/observe/log.ts";

/** A logger, and the lines it has written. */
const listening = (level: LogOptions["level"] = "debug") => {
  const lines: string[] = [];
  const log = createLogger({ level, destination: { write: (line) => void lines.push(line) } });
  return { log, text: () => lines.join(""), last: () => JSON.parse(lines.at(-1) ?? "null") as Record<string, unknown> };
};

const MARK = "zanzibar";
const SECRET_NAMES = (
  "to from recipient sender body text html subject say authorization key password " +
  "replyTo reply_to api_key Authorization adminKey auth_token headers content metadata"
).split(" ");

describe("the log", () => {
  it("is one line of JSON per event, with its level, its service and an ISO time", () => {
    const { log, last } = listening("info");
    log.info({ event: "sent", message: "msg_1", account: "acc_1", took_ms: 12 }, "sent");
    expect(last()).toMatchObject({
      level: "info",
      service: "sluice",
      event: "sent",
      message: "msg_1",
      account: "acc_1",
    });
    expect(last()["time"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(last()["msg"]).toBe("sent");
    expect(last()["took_ms"]).toBe(12);
  });

  it.each(SECRET_NAMES)("never tells what stands in a field called %s, at any depth", (name) => {
    const { log, text } = listening();
    log.debug({ [name]: MARK }, "flat");
    log.debug({ job: { data: [{ parcel: { [name]: { inner: MARK } } }] } }, "deep");
    log.child({ [name]: MARK, also: { [name]: MARK } }).debug("bound");
    log
      .child({})
      .child({ [name]: MARK })
      .debug("bound below");
    expect(text()).toMatch(/flat[^]*deep[^]*bound/);
    expect(text()).not.toContain(MARK);
  });

  it.each([300, 1_000])("knows an address that stands where a long text is cut, after %d characters", (length) => {
    const { log, text } = listening();
    const long = `${"x ".repeat(length / 2 - 3)}${MARK}@example.com ${"x ".repeat(length)}`;
    log.info({ err: new Error(long), note: long }, "long");
    expect(text()).toContain("x x x");
    expect(text()).not.toContain(MARK.slice(0, 6));
  });

  it.each([
    `550 5.1.1 <${MARK}@example.com>: no such user`,
    `550 5.1.1 ${MARK}@xn--bcher-kva.example unknown`,
    `PUT /v1/accounts/a/senders/${MARK}%40example.com/quotas/email`,
    `connect smtp://user:${MARK}@mail.example.com:587`,
    `redis://:${MARK}@10.0.0.1:6379/0`,
    `Authorization: Bearer ${MARK}`,
    `sk_key1_${MARK}`,
    `the token rt_01KJKTG8Q0HYWTKMCWN9100000${MARK} was refused`,
    `the key adm_0123456789abcdefghij${MARK}-_`,
    `got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ${MARK}.c2lnbmF0dXJl`,
  ])("takes addresses and credentials out of any text: %s", (text) => {
    const written = listening();
    written.log.debug(text);
    written.log.debug({ why: text }, "in a field");
    written.log.debug({ err: new Error(text) }, "in an error");
    written.log.debug(new Error(text));
    written.log.debug("%s in a template", text);
    expect(written.text()).not.toContain(MARK);
    expect(written.text().split("\n").filter(Boolean)).toHaveLength(5);
  });

  it("takes phone numbers out, and leaves ids and times alone", () => {
    const { log, text } = listening();
    const id = "msg_01JABCDEFGHJKMNPQRSTVWXYZ0";
    log.debug(
      { id, until: "2026-03-01T10:00:00.000+05:30", why: "21211: To +14155550100 is not valid" },
      "whatsapp:+447700900123",
    );
    expect(text()).not.toMatch(/4155550100|7700900123/);
    expect(text()).toContain(id);
    expect(text()).toContain("2026-03-01T10:00:00.000+05:30");
  });

  it("tells of an error its type, sentence and code, and its stack only at debug", () => {
    const error = Object.assign(new TypeError("refused"), { code: "ECONNREFUSED", response: MARK, address: MARK });
    const [info, debug] = [listening("info"), listening("debug")];
    info.log.error({ err: error }, "failed");
    debug.log.error({ err: error }, "failed");
    expect(info.last()["err"]).toEqual({ type: "TypeError", message: "refused", code: "ECONNREFUSED" });
    expect(debug.last()["err"]).toMatchObject({ type: "TypeError", stack: expect.stringContaining("log.test.ts") });
    expect(info.text() + debug.text()).not.toContain(MARK);
  });

  it("writes no line of ten megabytes, whatever a provider has answered", () => {
    const { log, text } = listening();
    const huge = "x".repeat(10_000_000);
    log.error(new Error(huge));
    log.error({ err: new Error(huge), why: huge, list: Array.from({ length: 100_000 }, () => "y") }, "huge");
    expect(text().length).toBeLessThan(20_000);
  });

  it("survives whatever object it is given, and stays JSON", () => {
    fc.assert(
      fc.property(
        fc.object({ withBigInt: true, withDate: true, withNullPrototype: true }),
        fc.string(),
        (fields, words) => {
          const { log, text } = listening();
          log.debug(fields, words.replaceAll("%", ""));
          expect(() =>
            text()
              .trim()
              .split("\n")
              .map((line) => JSON.parse(line) as unknown),
          ).not.toThrow();
        },
      ),
    );
    const { log, last } = listening();
    const circle: Record<string, unknown> = {};
    circle["circle"] = circle;
    log.debug({ circle, buffer: Buffer.from(MARK) }, "odd");
    expect(last()).toMatchObject({ msg: "odd", buffer: "[Buffer]" });
  });

  it("tells of a request its method and path, without the query", async () => {
    const { log, text } = listening("info");
    const app = Fastify({ loggerInstance: log });
    app.get("/v1/messages", () => ({}));
    const address = await app.listen({ port: 0, host: "127.0.0.1" });
    await fetch(`${address}/v1/messages?reference=${MARK}`, { headers: { authorization: MARK } });
    await app.close();
    expect(text()).toContain('"path":"/v1/messages"');
    expect(text()).not.toContain(MARK);
  });
});
