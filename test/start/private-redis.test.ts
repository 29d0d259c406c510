import { readFileSync, statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { connect } from "../../src/redis/connect.ts";
import { startOf } from "../../src/start/lock.mjs";
import { startPrivateRedis, type PrivateRedis } from "../../src/start/private-redis.ts";
import type { RedisBinary } from "../../src/start/redis-version.ts";
import { until } from "../support/until.ts";
import { runProgram } from "./program.ts";
import { redisHere, scratchDirectory, silent } from "./scratch.ts";

const parentOf = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
};
const isGone = (pid: number) => startOf(pid) === undefined;

describe("the private Redis", () => {
  const scratch = scratchDirectory();
  const closing: Array<() => unknown> = [];
  let binary: RedisBinary;
  let directories = 0;

  const freshDirectory = () => join(scratch.path, String((directories += 1)));
  const start = async (dataDir: string): Promise<PrivateRedis> => {
    const server = await startPrivateRedis({ binary, dataDir, fsync: "always", log: silent });
    closing.push(() => server.stop());
    return server;
  };
  const client = ({ address }: Pick<PrivateRedis, "address">): Redis => {
    const redis = connect(address, "patient", silent);
    closing.push(() => redis.disconnect());
    return redis;
  };
  /** A process that has started one and holds it. */
  const startElsewhere = async (dataDir: string) => {
    const program = runProgram(`
      import { pino } from "pino";
      import { startPrivateRedis } from "@/src/start/private-redis.ts";
      const options = { binary: ${JSON.stringify(binary)}, dataDir: "${dataDir}", fsync: "always", log: pino({ level: "silent" }) };
      const server = await startPrivateRedis(options).catch((error) => { console.log(error.message); process.exit(1); });
      console.log("pid", server.pid);
      setInterval(() => {}, 1000);`);
    closing.push(() => program.process.kill("SIGKILL"));
    const pid = await until(() => Number(/pid (\d+)/.exec(program.output())?.[1] ?? 0), { what: "its server" });
    return { program, pid, address: { socket: join(dataDir, "redis.sock") } };
  };

  beforeAll(async () => {
    binary = await redisHere();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });
  afterAll(() => scratch.remove());

  it("listens on a socket that only its owner reaches, evicts nothing, and syncs every write to its append-only file", async () => {
    const dataDir = freshDirectory();
    const redis = client(await start(dataDir));
    const settings = ["port", "maxmemory-policy", "appendonly", "appendfsync", "save", "unixsocket", "dir"];
    const values = await Promise.all(settings.map(async (name) => (await redis.config("GET", name))[1]));
    expect(values).toEqual(["0", "noeviction", "yes", "always", "", join(dataDir, "redis.sock"), dataDir]);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  });

  it("has every acknowledged write after kill -9 of the server in the midst of writing, and comes back by itself", async () => {
    const server = await start(freshDirectory());
    const redis = client(server);
    const { pid } = server;
    let acknowledged = 0;
    const enough = new AbortController();
    const writer = (async () => {
      for (let number = 0; !enough.signal.aborted; number += 1) {
        await redis.set(`n:${number}`, number);
        acknowledged = number + 1;
      }
    })();
    await until(() => acknowledged > 200, { what: "two hundred writes" });
    process.kill(pid, "SIGKILL");
    const before = acknowledged;
    await until(() => acknowledged > before + 50, { what: "writes to go on" });
    enough.abort();
    await writer;
    expect(server.pid).not.toBe(pid);
    const found = await redis.mget(Array.from({ length: acknowledged }, (_, number) => `n:${number}`));
    expect(found).toEqual(Array.from({ length: acknowledged }, (_, number) => String(number)));
  });

  it("is gone when it is stopped, and starts again with what it had", async () => {
    const dataDir = freshDirectory();
    const first = await startPrivateRedis({ binary, dataDir, fsync: "always", log: silent });
    await client(first).set("kept", "yes");
    await first.stop();
    expect(isGone(first.pid)).toBe(true);
    expect(await client(await start(dataDir)).get("kept")).toBe("yes");
  });

  it("goes when its parent is killed, and the next start has what was written", async () => {
    const dataDir = freshDirectory();
    const { program, pid, address } = await startElsewhere(dataDir);
    await client({ address }).set("kept", "yes");
    program.process.kill("SIGKILL");
    await until(() => isGone(pid), { what: "the server to end" });
    expect(await client(await start(dataDir)).get("kept")).toBe("yes");
  });

  it("is ended by the next start when its parent and its watcher were killed", async () => {
    const dataDir = freshDirectory();
    const { program, pid, address } = await startElsewhere(dataDir);
    await client({ address }).set("kept", "yes");
    const watcher = parentOf(pid);
    // The watcher first: with it goes the one that would end the server when the parent goes.
    for (const child of readFileSync(`/proc/${watcher}/task/${watcher}/children`, "utf8")
      .trim()
      .split(" ")
      .map(Number)) {
      if (child !== pid) process.kill(child, "SIGKILL");
    }
    process.kill(watcher, "SIGKILL");
    program.process.kill("SIGKILL");
    await program.ended;
    expect(isGone(pid)).toBe(false);
    const next = await start(dataDir);
    expect(isGone(pid)).toBe(true);
    expect(await client(next).get("kept")).toBe("yes");
  });

  it("is not killed with someone else who has its process id now", async () => {
    const dataDir = freshDirectory();
    await mkdir(dataDir);
    const bystander = runProgram("setInterval(() => {}, 1000); console.log('here');");
    closing.push(() => bystander.process.kill("SIGKILL"));
    await until(() => bystander.output().includes("here"));
    await writeFile(join(dataDir, "redis.pid"), String(bystander.process.pid));
    await mkdir(join(dataDir, "lock"));
    await writeFile(join(dataDir, "lock", `${bystander.process.pid}.12345.abc`), "");
    expect(await client(await start(dataDir)).ping()).toBe("PONG");
    expect(isGone(bystander.process.pid ?? 0)).toBe(false);
  });

  it("refuses a second start on the same data with the first one's process id, and leaves the first alone", async () => {
    const dataDir = freshDirectory();
    const redis = client(await start(dataDir));
    await redis.set("kept", "yes");
    const second = runProgram(`
      import { pino } from "pino";
      import { startPrivateRedis } from "@/src/start/private-redis.ts";
      const options = { binary: ${JSON.stringify(binary)}, dataDir: "${dataDir}", fsync: "always", log: pino({ level: "silent" }) };
      await startPrivateRedis(options).catch((error) => { console.log(error.name, error.message); process.exit(1); });`);
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain(`StartRefused another Sluice is running on ${dataDir} (process ${process.pid})`);
    expect(await redis.get("kept")).toBe("yes");
  });

  it("lets one of several that start at once in", async () => {
    const dataDir = freshDirectory();
    const answers = await Promise.allSettled(Array.from({ length: 5 }, () => start(dataDir)));
    expect(answers.filter((answer) => answer.status === "fulfilled")).toHaveLength(1);
  });

  it("listens elsewhere when the data directory's path is too long for a socket", async () => {
    const server = await start(join(freshDirectory(), "deep".repeat(30)));
    expect(await client(server).ping()).toBe("PONG");
  });

  it("says why a server does not start", async () => {
    const broken = { file: "/bin/false", version: "7.0.0" };
    await expect(
      startPrivateRedis({ binary: broken, dataDir: freshDirectory(), fsync: "always", log: silent }),
    ).rejects.toThrow(/redis-server \(\/bin\/false\) ended at once/);
  });

  it("refuses to start an older server beside data that it would not see", async () => {
    const dataDir = freshDirectory();
    await mkdir(join(dataDir, "appendonlydir"), { recursive: true });
    const older = { file: binary.file, version: "6.2.14" };
    await expect(startPrivateRedis({ binary: older, dataDir, fsync: "always", log: silent })).rejects.toThrow(
      /expected a redis-server of version 7 or later/,
    );
  });
});
