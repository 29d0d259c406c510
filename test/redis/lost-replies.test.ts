/**
 * Every reply that can be lost, lost: a proxy breaks the connection after Redis has run the script and before the client
 * hears of it. The client sends it again by itself, and Redis must hold what it holds where nothing was lost.
 */
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { readdirSync } from "node:fs";
import { pino } from "pino";
import { connect } from "../../src/redis/connect.ts";
import type { Cell } from "../../src/redis/keys.ts";
import { loadScript } from "../../src/redis/script.ts";
import type { Release } from "../../src/redis/scripts/begin.ts";
import type { ReleasedJob } from "../../src/redis/scripts/release.ts";
import { evalshaOf, faultProxy, type Fault, type FaultProxy } from "../support/fault-proxy.ts";
import { gateStage, type Stage } from "../support/gate-stage.ts";
import { testRedis, type TestRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { CASES, scriptOf, set, WITHOUT_CASE, type Case } from "./changing-scripts.ts";
import { dump } from "./model/dump.ts";

const FOLDER = new URL("../../src/redis/scripts/", import.meta.url);
const NAMES = readdirSync(FOLDER).flatMap((file) => (file.endsWith(".lua") ? [file.slice(0, -".lua".length)] : []));
const shaOf = (name: string): string => loadScript(new URL(`${name}.ts`, FOLDER).href).test.sha;

const jobsOf = (jobs: readonly ReleasedJob[]): Release[] =>
  jobs.flatMap(({ messages }) => messages.map(([id, release]) => ({ id, release })));

describe("a reply that is lost", () => {
  let server: TestRedis;
  let proxy: FaultProxy;
  let stages = 0;
  beforeAll(async () => {
    server = await testRedis();
    proxy = await faultProxy(server.address);
  });
  afterAll(async () => {
    await proxy.close();
    await server.close();
  });

  /** The same stage twice: its commands go straight to Redis, or through the proxy. */
  const aStage = async (through: boolean): Promise<{ stage: Stage; close: () => void }> => {
    const address = through ? { url: `redis://127.0.0.1:${proxy.port}` } : server.address;
    const redis = connect(address, "commands", pino({ level: "silent" }));
    const stage = await gateStage(redis, `${server.cell}${stages++}:` as Cell);
    return { stage, close: () => redis.disconnect() };
  };

  it("is tried for every script that changes anything", () => {
    expect(NAMES.length).toBeGreaterThan(30);
    const tried = new Set(CASES.map(scriptOf));
    expect(NAMES.filter((name) => !tried.has(name))).toEqual(WITHOUT_CASE);
    expect([...tried].filter((name) => !NAMES.includes(name))).toEqual([]);
  });

  const play = async ({ prepare, act, ...one }: Case, fault: Fault | null) => {
    const { stage, close } = await aStage(fault !== null);
    const pairs = await set(stage);
    await prepare?.(stage, pairs);
    // Known to the server, so that it is run at the first call and not at the second, whole.
    const sha = shaOf(scriptOf(one as Case));
    const seenBefore = proxy.seen.get(`evalsha ${sha}`) ?? 0;
    const happenedBefore = proxy.happened;
    if (fault !== null) proxy.arm(fault, evalshaOf(sha));
    const answer = await act(stage, pairs);
    const left = await dump(stage);
    close();
    return {
      answer,
      left,
      sent: (proxy.seen.get(`evalsha ${sha}`) ?? 0) - seenBefore,
      happened: proxy.happened - happenedBefore,
    };
  };

  it.each<Fault>(["reset", "truncate"])("changes nothing when the connection ends by %s", async (fault) => {
    for (const name of ["accept", "begin that answers go", "settle as sent"]) {
      const one = CASES.find((each) => each.name === name);
      if (!one) throw new Error(`no case ${name}`);
      const undisturbed = await play(one, null);
      const { left, sent, happened } = await play(one, fault);
      expect([name, happened, sent]).toEqual([name, 1, 2]);
      expect(left).toEqual(undisturbed.left);
    }
  });

  it("for ever, on a connection that says nothing any more, is not waited for: a new one is made", async () => {
    const { stage, close } = await aStage(true);
    const startedAt = performance.now();
    proxy.dropAll("half-open");
    await expect(stage.beat()).rejects.toThrow("timed out");
    expect(await until(() => stage.beat(), { what: "an answer" })).toBeGreaterThan(0);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    close();
  });

  /** Everything that may go, gone; what a lost reply let go is found as the gate's sweeper finds it. */
  const sendAll = async (stage: Stage, first: readonly Release[]): Promise<string[]> => {
    const gone: string[] = [];
    let pairs = first;
    for (let idle = 0; idle < 2; idle = pairs.length === 0 ? idle + 1 : 0) {
      const begun = await stage.begin(pairs);
      const going = pairs.filter((_, at) => begun[at]?.kind === "go");
      await stage.settle(going, "sent");
      gone.push(...going.map(({ id }) => id));
      await stage.at(stage.now() + 3_100);
      const again = await stage.rerelease(await stage.stuck());
      pairs = [...jobsOf(again), ...(await stage.released())];
    }
    return gone;
  };

  it("of release costs time, and nothing else: what it let go is released anew, and goes once", async () => {
    const ends = async (fault: Fault | null) => {
      const { stage, close } = await aStage(fault !== null);
      await stage.account("a");
      await stage.put("a", 30);
      await stage.limit("A|a", { day: 25 });
      if (fault !== null) proxy.arm(fault, evalshaOf(shaOf("release")));
      const gone = await sendAll(stage, await stage.released());
      const rows = { used: await stage.used("A|a", "day"), held: await stage.held("A|a") };
      const depths = await stage.fields("stat:email");
      close();
      return { gone: gone.sort(), rows, left: depths["queued"], out: depths["released"] };
    };
    const undisturbed = await ends(null);
    expect(undisturbed).toMatchObject({ rows: { used: 25, held: 0 }, left: "5", out: undefined });
    const before = proxy.happened;
    expect(await ends("cut")).toEqual(undisturbed);
    expect(proxy.happened).toBe(before + 1);
  });

  it.each(CASES)("of $name changes nothing", async (one) => {
    const undisturbed = await play(one, null);
    const { left, sent, happened } = await play(one, "cut");
    expect(happened).toBe(1);
    expect(sent).toBe(2);
    expect(left).toEqual(undisturbed.left);
  });
});
