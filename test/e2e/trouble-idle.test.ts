/** What waits costs nothing while it waits: commands counted by the server itself, over seconds of its own clock. */
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, it } from "@jest/globals";
import { ownRedis } from "../support/own-redis.ts";
import { until } from "../support/until.ts";
import { aWorld } from "../support/world.ts";

const WAITING = 1_500;
/** Of the server's clock; the beat (2 s) and the chores (3 s) fall into it several times. */
const SPAN_SECONDS = 6;

describe("a worker with nothing to do", () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  it("asks Redis at most ten times a second, however many messages wait for their quota", async () => {
    const redis = await ownRedis();
    closing.push(redis.close);
    const world = await aWorld({ redis, quotas: { email: { hour: 5 }, sms: { day: 1 } } });
    closing.push(world.stop);
    for (let page = 0; page < WAITING; page += 500) {
      const messages = Array.from({ length: 500 }, (_, n) =>
        world.bodyFor.email(page + n, { from: `s${n % 50}@example.com` }),
      );
      expect((await world.as("POST", "/v1/email/send/bulk", { messages })).status).toBe(202);
    }
    for (let n = 0; n < 50; n++) await world.send(n, "sms");
    await world.quiet();
    expect((await world.depths()).throttled).toBe(WAITING + 50 - 6);

    // What clients send, with the server's own times; what scripts call within it is marked as theirs. Over a socket of our
    // own: ioredis's monitor now and then takes a line for the answer to a command.
    const sent: number[] = [];
    const socket = connect("socket" in redis.address ? { path: redis.address.socket } : { port: 0 });
    const lines = createInterface({ input: socket });
    lines.on("line", (line) => {
      const [, at, source] = /^\+([0-9.]+) \[[0-9]+ ([^\]]*)\]/.exec(line) ?? [];
      if (at !== undefined && source !== "lua") sent.push(Number(at));
    });
    socket.write("MONITOR\r\n");
    const span = (): number => (sent.at(-1) ?? 0) - (sent[0] ?? 0);
    await until(() => span() >= SPAN_SECONDS, { within: 30_000, what: "some seconds to pass" });
    const perSecond = sent.length / span();
    lines.close();
    socket.destroy();
    expect(perSecond).toBeLessThanOrEqual(10);
    expect(perSecond).toBeGreaterThan(1);
  });
});
