/** Redis servers with ports and settings of their own: replicas, servers that promise less, masters that are lost. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { redisHere, silent } from "../start/scratch.ts";
import { connect, type Purpose } from "../../src/redis/connect.ts";
import { cellTag } from "../../src/redis/keys.ts";
import type { TestRedis } from "./redis.ts";
import { until } from "./until.ts";

export interface RedisServer extends TestRedis {
  readonly port: number;
  /** To set and to look, beside what is tried. */
  readonly admin: Redis;
  config(name: string, value: string): Promise<void>;
  /** Kept by the servers of one test alone. */
  signal(name: NodeJS.Signals): void;
  /** Another process on the same port and the same data. */
  restart(): Promise<void>;
  /** A replica of that server, once it has all; null: a master of its own. */
  replicate(of: RedisServer | null): Promise<void>;
}

const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
};

const DEFAULTS = {
  bind: "127.0.0.1",
  save: "",
  appendonly: "yes",
  appendfsync: "everysec",
  "maxmemory-policy": "noeviction",
  "repl-diskless-sync-delay": "0",
};

export const redisServer = async (settings: Readonly<Record<string, string>> = {}): Promise<RedisServer> => {
  const binary = await redisHere();
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), "sluice-redis-"));
  const args = Object.entries({ ...DEFAULTS, ...settings, port: String(port), dir }).flatMap(([name, value]) => [
    `--${name}`,
    value,
  ]);
  const env = binary.libraryPath === undefined ? {} : { LD_LIBRARY_PATH: binary.libraryPath };
  const opened: Redis[] = [];
  const admin = new Redis({ port, host: "127.0.0.1", retryStrategy: () => 50, maxRetriesPerRequest: null });
  admin.on("error", () => {});
  let server: ChildProcess;
  const start = async (): Promise<void> => {
    server = spawn(binary.file, args, { stdio: "ignore", env });
    server.unref(); // a test that fails to close it must not keep jest from ending
    await until(() => admin.ping(), { what: "a redis-server that answers" });
  };
  const end = async (): Promise<void> => {
    server.kill("SIGCONT");
    if (server.exitCode === null && server.signalCode === null && server.kill("SIGKILL")) await once(server, "exit");
  };
  const goneWithUs = (): void => void server.kill("SIGKILL");
  process.once("exit", goneWithUs);
  await start();
  const address = { url: `redis://127.0.0.1:${port}` };
  return {
    address,
    cell: cellTag("own"),
    port,
    admin,
    connect: (purpose: Purpose = "commands") => {
      const redis = connect(address, purpose, silent);
      opened.push(redis);
      return redis;
    },
    config: async (name, value) => void (await admin.config("SET", name, value)),
    signal: (name) => void server.kill(name),
    restart: async () => {
      await end();
      await start();
    },
    replicate: async (of) => {
      if (of === null) {
        await admin.call("REPLICAOF", "NO", "ONE");
        return;
      }
      await admin.call("REPLICAOF", "127.0.0.1", of.port);
      await until(async () => /master_link_status:up/.test(await admin.info("replication")), {
        what: "the replica to have all",
      });
    },
    close: async () => {
      process.off("exit", goneWithUs);
      for (const redis of [admin, ...opened]) redis.disconnect();
      await end();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};
