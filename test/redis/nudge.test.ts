import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { nudgerOn, onNudge, type Nudge } from "../../src/gate/nudge.ts";
import { connect } from "../../src/redis/connect.ts";
import { keysOf } from "../../src/redis/keys.ts";
import { faultProxy, type FaultProxy } from "../support/fault-proxy.ts";
import { testRedis, type TestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";

let server: TestRedis;
let proxy: FaultProxy;
beforeAll(async () => {
  server = await testRedis();
  proxy = await faultProxy(server.address);
});
afterAll(async () => {
  await proxy.close();
  await server.close();
});

describe("a listener for nudges", () => {
  const listening = async () => {
    const heard: Nudge[] = [];
    const keys = keysOf(server.cell);
    const subscriber = connect({ url: `redis://127.0.0.1:${proxy.port}` }, "subscriber", pino({ level: "silent" }));
    onNudge(subscriber, keys, (what) => heard.push(what));
    const nudger = nudgerOn(server.connect(), keys);
    const hears = async (what: Nudge): Promise<void> => {
      heard.length = 0;
      await until(() => (nudger.nudge(what), heard.includes(what)), { what: `nudge ${what}` });
    };
    await hears("sms");
    return { subscriber, hears };
  };

  it("hears them again when its connection has come back", async () => {
    const { subscriber, hears } = await listening();
    for (let cuts = 0; cuts < 3; cuts++) {
      proxy.dropAll("cut");
      await once(subscriber, "close");
      await hears("email");
    }
    subscriber.disconnect();
  });

  it("may be closed in the very moment in which its connection is back: no promise that failed is left to nobody", async () => {
    const { subscriber } = await listening();
    subscriber.once("ready", () => subscriber.disconnect());
    proxy.dropAll("cut");
    await once(subscriber, "end");
    // A promise that failed and that nobody looks at is told in the next turn, and fails the test.
    await nextTurn();
    expect(subscriber.status).toBe("end");
  });
});
