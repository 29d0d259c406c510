/** Starting: before Redis is there, twice at once, where the port is taken. */
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "@jest/globals";
import { startOf } from "../../src/start/lock.mjs";
import { scratchDirectory } from "../start/scratch.ts";
import { ownRedis } from "../support/own-redis.ts";
import { anAccountOf, endAll, freePort, portTo, run } from "../support/program-run.ts";
import { until } from "../support/until.ts";

const mail = { from: "shop@example.com", to: "ann@example.com", subject: "Hello", text: "It works." };

describe("starting", () => {
  const scratch = scratchDirectory();
  const closing: (() => Promise<unknown>)[] = [];
  let directories = 0;
  const freshDirectory = (): string => join(scratch.path, String((directories += 1)));
  const redisPid = (dataDir: string): number => Number(readFileSync(join(dataDir, "redis.pid"), "utf8"));

  afterEach(async () => {
    await endAll();
    for (const close of closing.splice(0).toReversed()) await close();
  });
  afterAll(() => scratch.remove());

  it("before Redis is there, API and worker wait for it, and work once it is", async () => {
    const redis = await ownRedis();
    closing.push(redis.close);
    const port = await portTo(redis.socket);
    closing.push(port.close);
    const env = { REDIS_URL: port.url, SLUICE_SANDBOX: "on" };
    const api = run("src/main.ts", env);
    const watched = await freePort();
    const worker = run("workers/main.ts", { ...env, SLUICE_WORKER_PORT: String(watched) });
    const watch = async (path: string): Promise<[number, string]> => {
      const response = await fetch(`http://127.0.0.1:${watched}${path}`);
      return [response.status, await response.text()];
    };

    await api.origin();
    await until(() => worker.output().includes("redis_away"), { what: "the worker to miss Redis", within: 20_000 });
    const early = await api.call("POST", "/v1/accounts", { name: "Early", timezone: "UTC" });
    expect(early).toMatchObject({ status: 503, body: { code: "unavailable" } });
    expect((await api.call("GET", "/readyz")).status).toBe(503);
    expect(await watch("/healthz")).toEqual([200, "alive\n"]);
    expect([api.hasEnded(), worker.hasEnded()]).toEqual([false, false]);

    await port.open();
    await until(async () => (await api.call("GET", "/readyz")).status === 200, { what: "ready", within: 15_000 });
    const { key } = await anAccountOf(api);
    const { body } = await api.call("POST", "/v1/email/send", mail, key);
    await until(async () => (await api.call("GET", `/v1/messages/${body.id}`, undefined, key)).body.status === "sent", {
      what: "the message to be sent",
    });
    expect(await watch("/metrics")).toEqual([
      200,
      expect.stringContaining('sluice_attempt_seconds_count{channel="email",outcome="sent"} 1'),
    ]);
    for (const program of [api, worker]) {
      program.kill("SIGTERM");
      expect(await program.ended).toBe(0);
      // Once for each connection that waited, not once for each knock.
      expect(program.output().match(/redis_away/g)?.length ?? 0).toBeLessThan(12);
    }
  });

  it("twice on the same data, the second says so in one sentence, and the first goes on unharmed", async () => {
    const env = { SLUICE_DATA_DIR: freshDirectory() };
    const first = run("src/all.ts", env);
    await first.origin();
    const second = run("src/all.ts", env);
    expect(await second.ended).toBe(1);
    expect(second.output().trim().split("\n")).toEqual([
      `sluice: another Sluice is running on ${env.SLUICE_DATA_DIR} (process ${first.pid}): stop it, or set SLUICE_DATA_DIR.`,
    ]);
    const { key } = await anAccountOf(first);
    expect((await first.call("POST", "/v1/email/send", mail, key)).status).toBe(202);
    first.kill("SIGTERM");
    expect(await first.ended).toBe(0);
  });

  it("at the same moment on the same data, one of two starts", async () => {
    const env = { SLUICE_DATA_DIR: freshDirectory() };
    const both = [run("src/all.ts", env), run("src/all.ts", env)];
    const loser = await Promise.race(both.map((each) => each.ended.then((code) => ({ each, code }))));
    expect(loser.code).toBe(1);
    expect(loser.each.output()).toContain("another Sluice is running");
    const winner = both.find((each) => each !== loser.each);
    expect(await winner?.origin()).toContain("http://");
    winner?.kill("SIGTERM");
    expect(await winner?.ended).toBe(0);
  });

  it("on a port that is taken, it says so in one line and leaves nothing running", async () => {
    const squatter = createServer();
    squatter.listen(0, "127.0.0.1");
    await once(squatter, "listening");
    closing.push(() => new Promise((closed) => squatter.close(closed)));
    const dataDir = freshDirectory();
    const program = run("src/all.ts", {
      SLUICE_DATA_DIR: dataDir,
      PORT: String((squatter.address() as AddressInfo).port),
      LOG_LEVEL: "warn",
    });
    await until(() => redisPid(dataDir), { what: "its Redis", within: 20_000 });
    const server = redisPid(dataDir);
    expect(await program.ended).toBe(1);
    expect(program.output().trim().split("\n")).toEqual([
      "sluice: PORT: expected a free port, got one that another process listens on (set PORT)",
    ]);
    await until(() => startOf(server) === undefined, { what: "its Redis to end" });
  });

  it("on an address that is not this machine's, or in a directory that is none, it says which variable is wrong", async () => {
    const file = freshDirectory();
    writeFileSync(file, "");
    const wrong: readonly [Record<string, string>, string][] = [
      [{ HOST: "192.0.2.1" }, "HOST: expected an address of this machine, got 192.0.2.1 (EADDRNOTAVAIL)"],
      [{ SLUICE_DATA_DIR: file }, `SLUICE_DATA_DIR: expected a directory to write in, got ${file} (EEXIST)`],
      [
        { SLUICE_DATA_DIR: join(file, "data") },
        `SLUICE_DATA_DIR: expected a directory to write in, got ${file}/data (ENOTDIR)`,
      ],
    ];
    for (const [env, line] of wrong) {
      const program = run("src/all.ts", { SLUICE_DATA_DIR: freshDirectory(), LOG_LEVEL: "warn", ...env });
      expect(await program.ended).toBe(1);
      expect(program.output().trim().split("\n")).toEqual([`sluice: ${line}`]);
    }
  });
});
