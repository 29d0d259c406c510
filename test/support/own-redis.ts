/** A redis-server of a test's own, which can be frozen, killed and gone without harm to other test files. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { scratchDirectory, redisHere, silent } from "../start/scratch.ts";
import { startPrivateRedis, type PrivateRedis } from "../../src/start/private-redis.ts";
import { connect } from "../../src/redis/connect.ts";
import { cellTag } from "../../src/redis/keys.ts";
import type { TestRedis } from "./redis.ts";

export interface OwnRedis extends TestRedis {
  readonly socket: string;
  /** Stops answering and keeps its connections, as a frozen machine does. */
  freeze(): void;
  thaw(): void;
  /** kill -9; what started it starts it again. */
  kill(): void;
  /** Nothing listens until `back`. */
  leave(): Promise<void>;
  back(): Promise<void>;
}

/** @param waiting nothing listens at the address until `back` is called */
export const ownRedis = async ({
  waiting = false,
  // Under everysec a server that is killed while its disk is slow forgets what it has acknowledged.
  fsync = "always",
}: { waiting?: boolean; fsync?: "always" | "everysec" } = {}): Promise<OwnRedis> => {
  const scratch = scratchDirectory();
  const dataDir = join(scratch.path, "data");
  const binary = await redisHere();
  const start = (): Promise<PrivateRedis> => startPrivateRedis({ binary, dataDir, fsync, log: silent });
  const socket = join(dataDir, "redis.sock");
  let server = waiting ? null : await start();
  const signal = (name: NodeJS.Signals): void => {
    if (server) process.kill(server.pid, name);
  };
  const opened: ReturnType<typeof connect>[] = [];
  const back = async (): Promise<void> => {
    server ??= await start();
  };
  const leave = async (): Promise<void> => {
    await server?.stop();
    server = null;
  };
  return {
    address: { socket },
    socket,
    cell: cellTag("own"),
    connect: (purpose = "commands") => {
      const redis = connect({ socket }, purpose, silent);
      opened.push(redis);
      return redis;
    },
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
    kill: () => signal("SIGKILL"),
    leave,
    back,
    close: async () => {
      signal("SIGCONT");
      for (const redis of opened) redis.disconnect();
      await leave();
      rmSync(scratch.path, { recursive: true, force: true });
    },
  };
};
