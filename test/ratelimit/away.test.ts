import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { loadPolicy } from "../../config/policies.ts";
import { milliseconds, systemClock, type Clock, type MonotonicMillis } from "../../src/domain/time.ts";
import type { LimitRequest } from "../../src/ratelimit/caller.ts";
import { limiterOn, type Limiter } from "../../src/ratelimit/limiter.ts";
import type { RedisState } from "../../src/ratelimit/redis-watch.ts";
import { scriptRunner } from "../../src/redis/script.ts";
import { ownRedis, type OwnRedis } from "../support/own-redis.ts";
import { until } from "../support/until.ts";
import { stubApp } from "./stub-app.ts";

let server: OwnRedis;
beforeAll(async () => {
  server = await ownRedis();
});
afterAll(() => server.close());

/** A clock of this process that stands still until it is moved. */
const aClock = (): Clock & { by(ms: number): void } => {
  let now = 1_000;
  return { now: systemClock.now, monotonic: () => now as MonotonicMillis, by: (ms) => void (now += ms) };
};

const aLimiter = () => {
  const told: RedisState[] = [];
  let questions = 0;
  const { run } = scriptRunner(server.connect(), server.cell);
  const clock = aClock();
  const limiter = limiterOn({
    policy: loadPolicy("sluice"),
    scripts: { run: (...args) => (questions++, run(...args)) },
    clock,
    patience: milliseconds(500),
    changed: (state) => void told.push(state),
  });
  return { limiter, clock, told, questions: () => questions };
};

const send = (account: string): LimitRequest => ({
  method: "POST",
  route: "/v1/email/send/bulk",
  facts: { account, ip: "192.0.2.1" },
});
const token = (ip: string): LimitRequest => ({ method: "POST", route: "/v1/auth/token", facts: { ip } });
const ask = async (limiter: Limiter, request: LimitRequest, times: number) => {
  const answers = [];
  for (let n = 0; n < times; n++) answers.push(await limiter.take(request));
  return answers;
};
const admitted = (answers: readonly { admitted: boolean }[]) => answers.filter((answer) => answer.admitted).length;

describe("while Redis is away", () => {
  it("sending is held to a limit of each process's own, doors to next to nothing; both are said once, and it ends by itself", async () => {
    const { limiter, clock, told } = aLimiter();
    expect(admitted(await ask(limiter, send("acc_1"), 2))).toBe(2);
    expect(limiter.state()).toEqual({ redis: "here" });
    server.freeze();
    const answers = await ask(limiter, send("acc_1"), 65);
    expect(admitted(answers)).toBe(60);
    expect(answers.at(-1)).toMatchObject({
      admitted: false,
      violated: [{ rule: "email-bulk", limit: 60, remaining: 0 }],
      retryIn: 60_000,
    });
    const doors = await ask(limiter, token("192.0.2.1"), 3);
    expect(admitted(doors)).toBe(1);
    expect(doors[2]).toMatchObject({ violated: [{ rule: "auth-token", limit: 5, remaining: 0 }] });
    expect(admitted(await ask(limiter, token("192.0.2.2"), 3))).toBe(1);
    expect(limiter.state()).toMatchObject({ redis: "away", why: "no answer within 500 ms" });
    expect(told).toHaveLength(1);
    // As it was said: after the window, again.
    clock.by(60_000);
    expect(admitted(await ask(limiter, token("192.0.2.1"), 2))).toBe(1);
    server.thaw();
    await until(async () => {
      clock.by(1_000);
      await limiter.look(send("acc_9"));
      return limiter.state().redis === "here";
    });
    expect(told.map(({ redis }) => redis)).toEqual(["away", "here"]);
    expect(admitted(await ask(limiter, send("acc_2"), 1))).toBe(1);
  });

  it("answers carry the headers, and a caller over the local limit gets its 429", async () => {
    const { limiter } = aLimiter();
    const stub = await stubApp({ limiter, routes: ["POST /v1/auth/token"] });
    await server.leave();
    const answers = [];
    for (let n = 0; n < 3; n++) answers.push(await fetch(`${stub.base}/v1/auth/token`, { method: "POST" }));
    expect(
      answers.map(({ status, headers }) => [status, headers.get("x-ratelimit-limit"), headers.has("retry-after")]),
    ).toEqual([
      [200, "5", false],
      [429, "5", true],
      [429, "5", true],
    ]);
    await stub.close();
    await server.back();
  });

  it("one that does not come back holds up one question in a while, and no more", async () => {
    const { limiter, clock, questions } = aLimiter();
    await limiter.take(send("acc_3"));
    server.freeze();
    await limiter.take(send("acc_3"));
    expect(questions()).toBe(2);
    await ask(limiter, send("acc_3"), 50);
    expect(questions()).toBe(2);
    clock.by(600);
    // This one asks, and those beside it do not wait for it.
    const asking = limiter.take(send("acc_3"));
    await ask(limiter, send("acc_3"), 5);
    expect(questions()).toBe(3);
    await asking;
    server.thaw();
  });
});
