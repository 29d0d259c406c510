/** A redis-server of the suite's own, on a unix socket, and gone with its data when it is closed. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { pino } from "pino";
import { cacheDirectory, processEnvironment } from "../config/env.ts";
import type { RedisAddress } from "../src/redis/connect.ts";
import { startPrivateRedis } from "../src/start/private-redis.ts";
import { findRedis } from "../src/start/redis-binary.ts";

/** `none` keeps nothing on disk: what the pipeline costs by itself. The other two are Redis's own words. */
export type Fsync = "none" | "everysec" | "always";

export const silent = pino({ level: "silent" });

export interface BenchRedis {
  readonly address: RedisAddress;
  readonly socket: string;
  readonly fsync: Fsync;
  readonly version: string;
  /** The suite's own hand on the server: setting up, looking, emptying. */
  readonly look: Redis;
  /** Everything gone, and the memory of it given back: as if just started. */
  readonly empty: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export const benchRedis = async (fsync: Fsync): Promise<BenchRedis> => {
  const env = processEnvironment();
  const cacheDir = cacheDirectory(env);
  const binary = await findRedis({ path: env["PATH"] ?? "", cacheDir, log: silent });
  const directory = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  // A Ctrl-C ends this process, and the server with it; the directory is ours to take along.
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  process.once("exit", remove);
  const server = await startPrivateRedis({
    binary,
    dataDir: join(directory, "data"),
    fsync: fsync === "always" ? "always" : "everysec",
    appendOnly: fsync !== "none",
    log: silent,
  });
  const socket = "socket" in server.address ? server.address.socket : "";
  const look = new Redis({ path: socket });
  return {
    address: server.address,
    socket,
    fsync,
    version: binary.version,
    look,
    empty: async () => {
      await look.flushall("SYNC");
      await look.config("RESETSTAT");
    },
    close: async () => {
      look.disconnect();
      await server.stop();
      process.removeListener("exit", remove);
      remove();
    },
  };
};
